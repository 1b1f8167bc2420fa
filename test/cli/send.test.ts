/** `intact send`: what leaves is byte for byte what was in the file, and the exit code says what the webhook made of it. */
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

let directory: string;
let cloud: MemoryDeployment;
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const bodies = (): string[] => cloud.posts.map(({ body }) => body.toString('latin1'));

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'intact-send-'));
  cloud = await memoryDeployment();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('intact send', () => {
  it('posts the bytes of a file verbatim, signed with the app secret', async () => {
    const bytes = Buffer.concat([Buffer.from(` \t${delivery('wamid.1', 'hi')}\r\n\n`), Buffer.from([0xff, 0xfe])]);
    const ran = await cloud.run(['send', file('a.json', bytes)]);
    expect(ran.code).toBe(0);
    expect(cloud.posts).toHaveLength(1);
    expect(cloud.posts[0]?.body.equals(bytes)).toBe(true);
    expect(cloud.posts[0]?.headers['x-hub-signature-256']).toBe(`sha256=${createHmac('sha256', 'the app secret').update(bytes).digest('hex')}`);
    expect(cloud.posts[0]?.url).toBe(cloud.deployment.outputs.WebhookUrl);
  });

  it('prints the answer of each, as data in --json', async () => {
    const path = file('a.json', delivery('wamid.1', 'hi'));
    const ran = await cloud.run(['send', path, '--times', '2', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject([
      { source: 'a.json', attempt: 1, status: 200, answer: { recorded: 1, duplicate: 0 } },
      { source: 'a.json', attempt: 2, status: 200, answer: { recorded: 0, duplicate: 1 } },
    ]);
    expect(ran.stderr).toContain('sent 2 deliveries: 2 × 200');
    expect((await cloud.run(['send', path])).stdout).toContain('1 duplicate');
  });

  it('posts one line of a .jsonl file at a time, without its line end', async () => {
    const path = file('many.jsonl', '{"a":1}\n{"b":2}\r\n\nnot json\n  {"c":3} ');
    const ran = await cloud.run(['send', path, '--json']);
    expect(bodies()).toEqual(['{"a":1}', '{"b":2}', 'not json', '  {"c":3} ']);
    expect((JSON.parse(ran.stdout) as { line: number }[]).map(({ line }) => line)).toEqual([1, 2, 4, 5]);
  });

  it('sends every file of a directory, those below it too, in name order', async () => {
    mkdirSync(join(directory, 'b'));
    file('c.json', '3');
    file(join('b', 'x.txt'), '2');
    file('a.json', '1');
    file('.hidden', 'no');
    await cloud.run(['send', directory]);
    expect(bodies()).toEqual(['1', '2', '3']);
  });

  it('sends stdin as one delivery', async () => {
    await cloud.run(['send', '-'], { stdin: 'one\ntwo\n' });
    expect(bodies()).toEqual(['one\ntwo\n']);
  });

  it('sends what is no JSON, and nothing at all, all the same: it is kept in quarantine', async () => {
    const ran = await cloud.run(['send', file('broken.json', '{"object":'), file('empty.json', ''), '--json']);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject([{ answer: { quarantined: 1 } }, { answer: { quarantined: 1 } }]);
  });

  it.each([['--forge'], ['--unsigned']])('with %s is refused, exit 1, and nothing is recorded', async (option) => {
    const before = cloud.world.stream.length;
    const ran = await cloud.run(['send', file('a.json', delivery('wamid.1', 'hi')), option]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('401');
    expect(cloud.world.stream.length).toBe(before);
    expect(cloud.posts[0]?.headers['x-hub-signature-256'] === undefined).toBe(option === '--unsigned');
  });

  it('cannot sign without an app secret: exit 2 with the command that sets one; unsigned it can', async () => {
    cloud.secret.current = { appSecrets: [], verifyToken: '' };
    const path = file('a.json', '{}');
    const ran = await cloud.run(['send', path]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('put-secret-value');
    expect(cloud.posts).toHaveLength(0);
    expect((await cloud.run(['send', path, '--unsigned'])).code).toBe(1);
  });

  it.each([[503, 2], [429, 2], [413, 1], [302, 2]])('an answer of %d is exit %d', async (status, code) => {
    const answering = { ...cloud, deployment: Object.assign(cloud.deployment, { post: async () => ({ status, body: 'gateway words' }) }) };
    const ran = await answering.run(['send', file('a.json', '{}')]);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toContain('gateway words');
  });

  it.each([[['send', '/no/such/file']], [['send', '-', '--times', '0']], [['send', '-', '--times', 'x']], [['send', '-', '--forge', '--unsigned']], [['send', '-', '-']]])('%j is wrong usage and sends nothing', async (argv) => {
    expect((await cloud.run(argv)).code).toBe(2);
    expect(cloud.posts).toHaveLength(0);
  });
});
