/** Jest reporter of `npm test`: one line a file as it ends, with its seconds; failures in full, nothing else. The counts go to the file INTACT_JEST_RESULT. */
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');

class SecondsReporter {
  onTestFileResult(_test, result) {
    const { numPassingTests, numFailingTests, numPendingTests, numTodoTests, testFilePath, perfStats, failureMessage } = result;
    const failed = numFailingTests > 0 || failureMessage;
    const counts = [`${numPassingTests} passed`];
    if (numFailingTests > 0) counts.push(`${numFailingTests} failed`);
    if (numPendingTests + numTodoTests > 0) counts.push(`${numPendingTests + numTodoTests} skipped`);
    const seconds = ((perfStats.end - perfStats.start) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`  ${failed ? 'FAIL' : 'ok  '} ${seconds} s  ${relative(process.cwd(), testFilePath)}  (${counts.join(', ')})\n`);
    if (failureMessage) process.stdout.write(`${failureMessage}\n`);
    // What a test printed itself, such as the seed of a property or a figure.
    for (const { message } of result.console ?? []) process.stdout.write(`         ${message.trimEnd().replaceAll('\n', '\n         ')}\n`);
  }

  onRunComplete(_contexts, { numPassedTests, numFailedTests, testResults }) {
    const files = testResults.map(({ testFilePath, failureMessage, testResults: tests }) => ({
      name: relative(process.cwd(), testFilePath),
      failed: Boolean(failureMessage),
      tests: tests.map(({ fullName, status }) => ({ fullName, status })),
    }));
    writeFileSync(process.env.INTACT_JEST_RESULT, JSON.stringify({ numPassedTests, numFailedTests, files }));
  }
}

module.exports = SecondsReporter;
