#!/usr/bin/env node
// The launcher behind `npx intact`: the CLI is TypeScript, compiled file by file as it is loaded. A require hook of esbuild's and nothing more, because
// it also turns import() into require: commands load only what they use, in one module system, in half the time a loader thread takes to start.
const { readFileSync } = require('node:fs');
const { transformSync } = require('esbuild');

const debug = process.env.INTACT_DEBUG === '1';
if (debug) process.setSourceMapsEnabled(true);

require.extensions['.ts'] = (module, sourcefile) => {
  const options = { loader: 'ts', format: 'cjs', target: 'node20', supported: { 'dynamic-import': false }, sourcefile, sourcemap: debug ? 'inline' : false };
  module._compile(transformSync(readFileSync(sourcefile, 'utf8'), options).code, sourcefile);
};
require('./intact.ts');
