/** Restores in parts as executions: what is asked of Step Functions, and what its answers mean. */
import { stateMachineRestores, stepFunctionsClient } from '../../../src/adapters/operator/restore-runs';
import { fakeAws } from '../aws/fake-http';

const MACHINE = 'arn:aws:states:eu-central-1:123456789012:stateMachine:Intact-prod-restore-table';
const REQUEST = { to: 'records-restored-one', point: { size: 5 }, from: 'vault', by: 'tester' } as const;

function answering(...answers: readonly { readonly status: number; readonly body: object }[]) {
  const { overrides, sent } = fakeAws(() => {
    const { status, body } = answers[Math.min(sent.length, answers.length) - 1]!;
    return { status, body: JSON.stringify(body) };
  });
  return { runs: stateMachineRestores(stepFunctionsClient(overrides), MACHINE), asked: () => sent.map(({ headers, body }) => [headers['x-amz-target'], JSON.parse(body.toString()) as unknown]) };
}

test.each([
  [{ status: 'RUNNING' }, { state: 'running' }],
  [{ status: 'PENDING_REDRIVE' }, { state: 'running' }],
  [{ status: 'SUCCEEDED', output: '{}' }, { state: 'done' }],
  [{ status: 'FAILED', error: 'PortError', cause: 'throttled' }, { state: 'failed', why: 'FAILED: PortError: throttled' }],
  [{ status: 'ABORTED' }, { state: 'failed', why: 'ABORTED' }],
])('%j is %j', async (body, state) => {
  const { runs, asked } = answering({ status: 200, body });
  expect(await runs.find('one-1')).toEqual(state);
  expect(asked()).toEqual([['AWSStepFunctions.DescribeExecution', { executionArn: 'arn:aws:states:eu-central-1:123456789012:execution:Intact-prod-restore-table:one-1' }]]);
});

test('one that never was is absent, one that was is not started again, and a new one is started with what is asked for', async () => {
  expect(await answering({ status: 400, body: { __type: 'com.amazonaws.swf.base.model#ExecutionDoesNotExist' } }).runs.find('x')).toBe('absent');
  expect(await answering({ status: 400, body: { __type: 'ExecutionAlreadyExists' } }).runs.start('x', REQUEST)).toBe('exists');
  const { runs, asked } = answering({ status: 200, body: { executionArn: 'x' } });
  expect(await runs.start('one-1', REQUEST)).toBe('started');
  expect(asked()).toEqual([['AWSStepFunctions.StartExecution', { stateMachineArn: MACHINE, name: 'one-1', input: JSON.stringify(REQUEST) }]]);
});

test('what is refused is an error, and what Step Functions could not do is asked again', async () => {
  await expect(answering({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } }).runs.find('x')).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('look at the restore x') as string });
  const busy = answering({ status: 503, body: {} }, { status: 500, body: {} }, { status: 200, body: { status: 'RUNNING' } });
  expect([await busy.runs.find('x'), busy.asked().length]).toEqual([{ state: 'running' }, 3]);
  await expect(answering({ status: 503, body: {} }).runs.find('x')).rejects.toMatchObject({ code: 'unavailable' });
});
