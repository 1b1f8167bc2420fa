import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logDirectory, ObjectDiffers } from '../../../src/adapters/files/log-directory';
import type { LogObject } from '../../../src/core/log/tiles';

let parent: string;
let root: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'intact-log-'));
  root = join(parent, 'log');
});
afterEach(() => rmSync(parent, { recursive: true }));

const object = (name: string, text: string, partial = false): LogObject => ({ name, bytes: Buffer.from(text), partial });
const stored = (name: string): string => readFileSync(join(root, name), 'utf8');
const files = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

test('writes objects into folders that were not there, and leaves nothing else behind', async () => {
  await logDirectory(root).put([object('tile/0/000', 'a'), object('tile/0/x001/000', 'b'), object('tile/entries/000', 'c'), object('tile/0/001.p/5', 'd', true)]);
  expect(['tile/0/000', 'tile/0/x001/000', 'tile/entries/000', 'tile/0/001.p/5'].map(stored)).toEqual(['a', 'b', 'c', 'd']);
  expect(files()).toHaveLength(4);
});

test('a full object is written once: the same bytes again succeed, others are refused and change nothing', async () => {
  await logDirectory(root).put([object('tile/0/000', 'first')]);
  await logDirectory(root).put([object('tile/0/000', 'first'), object('tile/0/001', 'next')]);
  await expect(logDirectory(root).put([object('tile/0/000', 'other')])).rejects.toThrow(ObjectDiffers);
  expect([stored('tile/0/000'), stored('tile/0/001')]).toEqual(['first', 'next']);
});

test('a partial object and the checkpoint are replaced', async () => {
  const log = logDirectory(root);
  await log.put([object('tile/0/000.p/2', 'old', true)]);
  await log.put([object('tile/0/000.p/2', 'new', true)]);
  await log.replace('checkpoint', Buffer.from('one'));
  await log.replace('checkpoint', Buffer.from('two'));
  expect([stored('tile/0/000.p/2'), stored('checkpoint')]).toEqual(['new', 'two']);
});

test('goes on in a directory where a writer died: what it left unfinished is overwritten', async () => {
  mkdirSync(join(root, 'tile/0'), { recursive: true });
  writeFileSync(join(root, 'tile/0/000.unfinished'), 'what a dead writer left, longer than the object');
  await logDirectory(root).put([object('tile/0/000', 'whole')]);
  expect([stored('tile/0/000'), files()]).toEqual(['whole', ['000']]);
});
