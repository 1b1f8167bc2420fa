import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPython } from '../../local/virtual-environment';

/** A PATH on which only these programs are, each answering as a Python of that version with or without venv would. */
function pathWith(programs: Readonly<Record<string, { readonly version: string; readonly venv: boolean }>>): { PATH: string } {
  const directory = mkdtempSync(join(tmpdir(), 'intact-python-'));
  directories.push(directory);
  for (const [name, { version, venv }] of Object.entries(programs)) {
    const script = `#!/bin/sh\ncase "$2" in *version_info*) echo ${version};; *venv*) exit ${venv ? 0 : 1};; esac\n`;
    writeFileSync(join(directory, name), script);
    chmodSync(join(directory, name), 0o755);
  }
  return { PATH: directory };
}
const directories: string[] = [];
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

describe('the Python of the local cloud', () => {
  it('is the first one that is new enough and has venv', () => {
    expect(findPython(pathWith({ python3: { version: '3.9', venv: true }, 'python3.12': { version: '3.12', venv: false }, 'python3.11': { version: '3.11', venv: true } }))).toBe('python3.11');
  });

  it.each([
    ['none is there', {}, /no python3 is on the PATH/],
    ['it is too old', { python3: { version: '3.9', venv: true } }, /python3 is Python 3\.9/],
    ['it has no venv', { python3: { version: '3.12', venv: false } }, /python3 is Python 3\.12, but its venv module is missing/],
    ['it is Python 2', { python: { version: '2.7', venv: false } }, /python is Python 2\.7/],
  ])('is asked for in words a person can act on when %s', (_case, programs, words) => {
    const message = (() => {
      try {
        return findPython(pathWith(programs));
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toMatch(words);
    expect(message).toContain('sudo apt install python3 python3-venv');
  });
});

describe('the requirements', () => {
  it('pin every package to one version, or one for each side of a marker, and every version to hashes', () => {
    const text = readFileSync(join(__dirname, '..', '..', 'local', 'requirements.txt'), 'utf8');
    const blocks = text.split('\n').filter((line) => !line.startsWith('#')).join('\n').split(/\n(?=\S)/).filter((block) => block.trim() !== '');
    expect(blocks.length).toBeGreaterThan(40);
    for (const block of blocks) expect(block).toMatch(/^[A-Za-z0-9_.-]+==[^\s;]+( ; python_version (<|>=) '3\.11')? \\\n( {4}--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$/);
    expect(text).toContain('ministack==1.5.33 \\');
  });
});
