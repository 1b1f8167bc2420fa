#!/usr/bin/env node
// The launcher behind `npx intact`, and of each of its threads: the CLI is TypeScript, compiled file by file as it is loaded. A require hook of esbuild's and nothing
// more, because it also turns import() into require: commands load only what they use, in one module system, in half the time a loader thread takes to start.
//
// What was compiled is kept under node_modules/.cache/intact, so that esbuild itself is loaded only after a change. A kept file begins with the SHA-256 of
// compiler, options, source and output together: it stands for exactly this source, and is whole. Anything else is compiled again, and where nothing can
// be kept everything is, every time.
//
// The adversary is another user of this machine who can write where we keep things: into node_modules/.cache that some tool left open to everybody, or into a
// temporary folder, for which reason it is none. The digest does not stop them, for they can compute it, too. So only a file is run that is ours and that nobody else may write;
// this is asked of the very file that is read, not of a path. Who can write as us, or change sources or node_modules, needs no cache to have their code run.
const { createHash, randomBytes } = require('node:crypto');
const { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const { isMainThread, workerData } = require('node:worker_threads');

const root = join(__dirname, '..');
const kept = join(root, 'node_modules', '.cache', 'intact');
const debug = process.env.INTACT_DEBUG === '1';
if (debug) process.setSourceMapsEnabled(true);

const options = { loader: 'ts', format: 'cjs', target: 'node20', supported: { 'dynamic-import': false } };
const compiler = JSON.stringify([require('esbuild/package.json').version, options]);
/** In hex. The lengths keep the parts apart. */
const digestOf = (source, code) => createHash('sha256').update(`${compiler}\n${source.length} ${code.length}\n`).update(source).update(code).digest('hex');

require.extensions['.ts'] = (module, file) => {
  const source = readFileSync(file, 'utf8');
  module._compile(debug ? compile(source, { sourcefile: file, sourcemap: 'inline' }) : compiledOnce(source, file), file);
};
require(isMainThread ? './intact.ts' : workerData.module);

function compile(source, more) {
  return require('esbuild').transformSync(source, { ...options, ...more }).code;
}

/** One kept file per source: an edited source replaces what was kept of it. */
function compiledOnce(source, file) {
  const place = join(kept, `${relative(root, file).replace(/[\\/:]/g, '+')}.js`);
  const found = read(place);
  const code = found?.slice(65);
  if (code !== undefined && found === `${digestOf(source, code)}\n${code}`) return code;
  const compiled = compile(source, { sourcefile: file });
  keep(place, `${digestOf(source, compiled)}\n${compiled}`);
  return compiled;
}

/** undefined: it is not there, cannot be read, or is not ours alone to write. Where owners are unknown (Windows) nothing is ours. */
function read(place) {
  let descriptor;
  try {
    descriptor = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK); // a planted pipe must not hold us up
    const info = fstatSync(descriptor);
    return info.isFile() && info.uid === process.geteuid?.() && (info.mode & 0o022) === 0 ? readFileSync(descriptor, 'utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** All of it or nothing. A process killed before the rename leaves a file that nobody reads. */
function keep(place, text) {
  const unfinished = `${place}.${randomBytes(8).toString('hex')}`;
  try {
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    writeFileSync(unfinished, text, { flag: 'wx', mode: 0o600 });
    renameSync(unfinished, place);
  } catch {
    try {
      rmSync(unfinished, { force: true });
    } catch {} // nor could it be made
  }
}
