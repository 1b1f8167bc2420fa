/** verify, pull, proof, status, tamper and the operator's commands, as a person meets them: reports, exit codes, JSON with the members that are promised. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatVkey, verifierKey } from '../../src/core/log/vkey';
import { recordsFound } from '../../src/operations/records-found';
import { repairRecord } from '../../src/operations/repair-record';
import { delivery, memoryDeployment, runAlone, type MemoryDeployment } from './command-run';

let cloud: MemoryDeployment;
let directory: string;
let vkey: string;
const path = (name: string): string => join(directory, name);
const send = (body: string) => cloud.run(['send', '-'], { stdin: body });
const pulled = async (name = 'vault'): Promise<string> => {
  expect((await cloud.run(['pull', path(name)])).code).toBe(0);
  return path(name);
};
const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'intact-cli-'));
  cloud = await memoryDeployment();
  await send(delivery('wamid.A', 'the price is 100'));
  await cloud.settle();
  vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('intact verify', () => {
  it('of a pulled directory is clean, says whose key it used, and needs no deployment', async () => {
    const dir = await pulled();
    const own = await runAlone(['verify', dir]);
    expect(own.code).toBe(0);
    expect(own.stdout).toContain('proves consistency, not authorship');
    expect(own.stdout).toContain('clean: no findings');
    expect(own.stdout).toContain('locks');
    const pinned = await runAlone(['verify', dir, '--vkey', vkey]);
    expect(pinned.code).toBe(0);
    expect(pinned.stdout).not.toContain('not authorship');
  });

  it('has in --json every member that is promised', async () => {
    const dir = await pulled();
    const report = JSON.parse((await runAlone(['verify', dir, '--json'])).stdout);
    for (const member of ['ok', 'source', 'origin', 'keySource', 'size', 'root', 'entries', 'tiles', 'segments', 'orphans', 'locks', 'memory', 'findings']) expect(report).toHaveProperty(member);
    expect(report).toMatchObject({ ok: true, size: cloud.world.log.tables.head?.size, root: cloud.world.log.tables.head?.root.toString('base64'), findings: [] });
  });

  it('is exit 1 after any flipped byte of any object, and names the object', async () => {
    const dir = await pulled();
    for (const name of readdirSync(dir, { recursive: true }) as string[]) {
      if (!statSync(join(dir, name)).isFile()) continue;
      flip(join(dir, name), 3);
      const ran = await runAlone(['verify', dir, '--vkey', vkey]);
      expect({ name, code: ran.code }).toEqual({ name, code: 1 });
      expect(ran.stdout).toContain(name);
      flip(join(dir, name), 3);
    }
  });

  it("with the pinned key refuses somebody else's log", async () => {
    const dir = await pulled();
    const foreign = formatVkey(verifierKey('example.com/test/other', Buffer.alloc(32, 9)));
    expect((await runAlone(['verify', dir, '--vkey', foreign])).code).toBe(1);
  });

  it('takes the key from a file too', async () => {
    const dir = await pulled();
    writeFileSync(path('key.txt'), `${vkey}\n`);
    expect((await runAlone(['verify', dir, '--vkey', 'key.txt'], { cwd: directory })).code).toBe(0);
  });

  it('of a vault rebuilt from its facts alone is clean, and says what was lost where a segment is gone', async () => {
    const dir = await pulled('to-lose');
    rmSync(join(dir, 'tile'), { recursive: true });
    rmSync(join(dir, 'checkpoint'));
    expect(await runAlone(['rebuild', dir, path('rebuilt'), '--vkey', vkey])).toMatchObject({ code: 0 });
    expect((await runAlone(['verify', path('rebuilt'), '--vkey', vkey])).code).toBe(0);
    const segments = readdirSync(join(dir, 'segment')).sort();
    rmSync(join(dir, 'segment', segments.at(-1) as string), { recursive: true });
    const less = await runAlone(['rebuild', dir, path('less'), '--vkey', vkey]);
    expect(less).toMatchObject({ code: 1, stdout: expect.stringContaining('are lost') as string });
    expect((await runAlone(['rebuild', path('nowhere'), path('x')])).code).toBe(2);
  });

  it('of what is no log is findings, exit 1', async () => {
    expect((await runAlone(['verify', directory])).code).toBe(1);
  });

  it('remembers nothing of a directory unless asked; asked, it notices a log put back', async () => {
    const early = await pulled('early');
    await send(delivery('wamid.B', 'two'));
    await cloud.settle();
    const late = await pulled('late');
    const memory = path('memory.json');
    expect((await runAlone(['verify', late, '--memory', memory])).code).toBe(0);
    const back = await runAlone(['verify', early, '--memory', memory]);
    expect(back.code).toBe(1);
    expect(back.stdout).toContain('memory-rolled-back');
    // A verification with findings does not become the measure of the next.
    expect(JSON.parse(readFileSync(memory, 'utf8'))).toMatchObject({ size: cloud.world.log.tables.head?.size });
    const memoryDirectory = path('state');
    expect((await runAlone(['verify', late], { memoryDirectory })).code).toBe(0);
    expect((await runAlone(['verify', early], { memoryDirectory })).code).toBe(0);
    expect(readdirSync(directory)).not.toContain('state');
  });

  it('without an address checks the vault of the deployment, and remembers it per key', async () => {
    const memoryDirectory = path('state');
    const options = { memoryDirectory };
    expect(JSON.parse((await cloud.run(['verify', '--json'], options)).stdout)).toMatchObject({ ok: true, source: 's3://vault', memory: null });
    await send(delivery('wamid.B', 'two'));
    await cloud.settle();
    expect(JSON.parse((await cloud.run(['verify', '--json'], options)).stdout)).toMatchObject({ ok: true, memory: { verdict: 'consistent' } });
    expect(JSON.parse((await cloud.run(['verify', '--json', '--vkey', vkey], { memoryDirectory })).stdout)).toMatchObject({ ok: true });
    // Another log at the same address, as after a new start of a local cloud, is held against its own past only.
    const anew = await memoryDeployment(9);
    await anew.settle();
    expect((await anew.run(['verify'], options)).code).toBe(0);
  });

  it('never takes an unreadable memory for an empty one', async () => {
    const dir = await pulled();
    writeFileSync(path('memory.json'), '{"size":');
    expect((await runAlone(['verify', dir, '--memory', path('memory.json')])).code).toBe(2);
    mkdirSync(path('memory')); // there, and cannot be read
    const { code, stdout, stderr } = await runAlone(['verify', dir, '--memory', path('memory')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('cannot be read');
  });

  it.each([[['--profile', 'sumdb']], [['--vkey', 'nonsense']], [['--profile', 'tlog-tiles']], [['--memory', 'x', '--no-memory']]])('with %j is wrong usage', async (options) => {
    expect((await runAlone(['verify', await pulled(), ...options])).code).toBe(2);
  });

  it('reads its own log as a foreign one too', async () => {
    expect((await runAlone(['verify', await pulled(), '--profile', 'tlog-tiles', '--vkey', vkey])).code).toBe(0);
  });
});

describe('intact proof', () => {
  it('makes a file that `proof verify` accepts without any deployment, and refuses after a change', async () => {
    const made = await cloud.run(['proof', 'wamid.A']);
    expect(made.code).toBe(0);
    expect(made.stderr).toContain('not that Meta sent it');
    writeFileSync(path('a.proof'), made.stdout);
    const accepted = await runAlone(['proof', 'verify', path('a.proof'), '--vkey', vkey]);
    expect(accepted.code).toBe(0);
    expect(accepted.stdout).toContain('the price is 100');
    expect(accepted.stdout).toContain('does not show that Meta sent it');
    writeFileSync(path('b.proof'), made.stdout.replace('price is 100', 'price is 900'));
    const refused = await runAlone(['proof', 'verify', path('b.proof'), '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, findings: [{ code: 'commitment' }] });
    expect(JSON.parse((await runAlone(['proof', 'verify', path('a.proof'), '--json'])).stdout)).toMatchObject({ ok: true, keySource: 'own', record: { kind: 'message', text: 'the price is 100' }, findings: [] });
  });

  it('writes to a file that only its owner reads, never over another', async () => {
    expect((await cloud.run(['proof', 'wamid.A', '--out', 'a.proof'], { cwd: directory })).code).toBe(0);
    expect(statSync(path('a.proof')).mode & 0o077).toBe(0);
    expect((await cloud.run(['proof', 'wamid.A', '--out', 'a.proof'], { cwd: directory })).code).toBe(2);
    expect((await runAlone(['proof', 'verify', 'a.proof'], { cwd: directory })).code).toBe(0);
  });

  it('of a record changed by hand still proves what was sealed, and is exit 1', async () => {
    await cloud.run(['tamper', '--local']);
    const made = await cloud.run(['proof', 'wamid.A']);
    expect(made.code).toBe(1);
    expect(made.stderr).toContain('the table holds something else now');
    expect(JSON.parse(JSON.parse(made.stdout).disclosed.image).text.S).toBe('the price is 100');
  });

  it('says why there is none: unknown is 1, not sealed yet is 2', async () => {
    expect((await cloud.run(['proof', 'wamid.unknown'])).code).toBe(1);
    await send(delivery('wamid.new', 'x'));
    const ran = await cloud.run(['proof', 'wamid.new']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('not sealed yet');
  });

  it('verify of what is no proof is 1, of no file 2', async () => {
    writeFileSync(path('x'), 'hello');
    expect((await runAlone(['proof', 'verify', path('x')])).code).toBe(1);
    expect((await runAlone(['proof', 'verify', path('none')])).code).toBe(2);
  });
});

describe('intact pull', () => {
  it('reports what it wrote and what to do next', async () => {
    const ran = await cloud.run(['pull', path('v'), '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ origin: cloud.world.identity.origin, size: cloud.world.log.tables.head?.size, unexpected: [] });
  });
  it('is exit 1 when the vault holds names that are none of a vault', async () => {
    cloud.world.vault.objects.set('../x', Buffer.of(1));
    const ran = await cloud.run(['pull', path('v')]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('../x');
  });
  it('to a directory with something else in it is wrong usage', async () => {
    writeFileSync(path('mine.txt'), 'mine');
    expect((await cloud.run(['pull', directory])).code).toBe(2);
  });
});

describe('intact status', () => {
  it('has in --json every member that is promised', async () => {
    const ran = await cloud.run(['status', '--json']);
    const status = JSON.parse(ran.stdout);
    const members = ['stage', 'endpoint', 'region', 'caFile', 'webhookUrl', 'apiUrl', 'recordsTable', 'vaultBucket', 'appSecretArn', 'head', 'records', 'last24h', 'seal', 'lastVerification', 'lastAudit', 'lastSnapshot', 'lastDrill', 'lastReport', 'openFindings', 'alarms'];
    for (const member of members) expect(status).toHaveProperty(member);
    for (const member of ['size', 'root', 'checkpointAt']) expect(status.head).toHaveProperty(member);
    for (const member of ['received', 'recorded', 'duplicates', 'conflicts', 'quarantined', 'refused']) expect(status.last24h).toHaveProperty(member);
    for (const member of ['lagSeconds', 'unsealed']) expect(status.seal).toHaveProperty(member);
    expect(status).toMatchObject({ lastAudit: null, records: { message: 1 }, last24h: { received: 1, recorded: 1, duplicates: 0 } });
  });

  it('ends in "all well", or in what to open', async () => {
    const well = await cloud.run(['status']);
    expect(well.code).toBe(0);
    expect(well.stdout.trimEnd().split('\n').at(-1)).toBe('all well');
    cloud.alarms.push({ name: 'Intact-local-seal-lag', state: 'ALARM', description: 'Runbook: docs/runbook.md#seal-lag' });
    const ill = await cloud.run(['status']);
    expect(ill.code).toBe(0);
    expect(ill.stdout.trimEnd().split('\n').at(-1)).toMatch(/^open docs\/runbook\.md#seal-lag/);
  });

  it('is exit 1 when there are findings', async () => {
    await cloud.run(['tamper', '--local']);
    await cloud.settle();
    const ran = await cloud.run(['status']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/open docs\/runbook\.md#unauthorised-change \(findings: \d/);
  });

  it('of a stage on AWS has neither endpoint nor caFile', async () => {
    Object.assign(cloud.deployment, { target: { kind: 'aws', stage: 'prod' } });
    const status = JSON.parse((await cloud.run(['status', '--json'])).stdout);
    expect(status.stage).toBe('prod');
    expect(status).not.toHaveProperty('endpoint');
    expect(status).not.toHaveProperty('caFile');
  });
});

describe('intact tamper', () => {
  /** The sealer runs whenever the command waits, as the stream would drive it, and the repairs that it would ask for. */
  const live = (repairs = true): (() => void) => {
    const { sleep } = cloud.world;
    const { deployment } = cloud;
    const deps = { ...cloud.world, ...deployment, keyService: deployment.kms, sleep };
    let seen = 0;
    const turn = async (): Promise<void> => {
      if (seen === cloud.world.stream.length) return;
      await cloud.settle();
      if (repairs) for (const key of await recordsFound(deps.records)) await repairRecord(deps, { key });
      await cloud.settle();
      seen = cloud.world.stream.length;
    };
    Object.assign(cloud.world, { sleep: async (ms: number) => { await turn(); await sleep(ms); } });
    return () => void Object.assign(cloud.world, { sleep });
  };

  it('changes a message past every check, and shows finding, repair and metric', async () => {
    const before = await cloud.run(['get', 'wamid.A', '--json']);
    live();
    const ran = await cloud.run(['tamper', '--local', '--json']);
    expect(ran.code).toBe(0);
    const { outcome, steps } = JSON.parse(ran.stdout) as { outcome: string; steps: { step: string; findings?: { code: string }[]; log?: { size: number } }[] };
    expect(outcome).toBe('found');
    expect(steps.map(({ step }) => step).slice(0, 7)).toEqual(['before', 'changed', 'found', 'sealed', 'healed', 'verified', 'counted']);
    expect(steps[2]?.findings?.map(({ code }) => code)).toEqual(expect.arrayContaining(['immutable-modified', 'mac-invalid']));
    expect(steps[3]?.log?.size).toBeGreaterThan(steps[0]?.log?.size ?? Infinity);
    expect(steps[4]).toMatchObject({ repair: { action: 'put-back', record: { pk: expect.stringMatching(/^repair#/) as string } } });
    expect(steps[5]).toMatchObject({ ok: true, findings: 0 });
    expect(await cloud.run(['get', 'wamid.A', '--json'])).toEqual(before);
    expect(cloud.world.check()).toEqual([]);
  });

  it('finds and heals it a second time in the same message', async () => {
    live();
    await cloud.run(['tamper', '--local']);
    cloud.world.advance(60_000);
    const again = await cloud.run(['tamper', '--local', 'wamid.A']);
    expect([again.code, again.stdout.includes('HEALED'), again.stdout.includes('changed by hand) (changed by hand)')]).toEqual([0, true, false]);
  });

  it('is exit 1 when it is found and nobody puts it back, and says what does', async () => {
    live(false);
    const ran = await cloud.run(['tamper', '--local']);
    expect([ran.code, ran.stdout.includes('FOUND'), ran.stdout.includes('HEALED'), ran.stdout.includes('npx intact repair')]).toEqual([1, true, false, true]);
  });

  it('does not take the finding of an earlier change for that of this one', async () => {
    const stop = live();
    await cloud.run(['tamper', '--local', 'wamid.A']);
    stop();
    expect((await cloud.run(['tamper', '--local', 'wamid.A'])).code).toBe(1);
  });

  it('is exit 1 when nobody finds it', async () => {
    const ran = await cloud.run(['tamper', '--local']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('NOT found');
  });

  it.each([[['tamper'], {}], [['tamper', '--local', '--stage', 'prod'], {}], [['tamper', '--local'], { INTACT_STAGE: 'prod' }]])('refuses anything but the local cloud: %j %j', async (argv, env) => {
    const before = cloud.world.stream.length;
    expect((await cloud.run(argv, { env })).code).toBe(2);
    expect(cloud.world.stream.length).toBe(before);
  });

  it('refuses a deployment that gives no port for it', async () => {
    const { byHand: _byHand, ...rest } = cloud.deployment;
    Object.assign(cloud.deployment, { byHand: undefined });
    expect((await cloud.run(['tamper', '--local'])).code).toBe(2);
    expect(rest.target.kind).toBe('local');
  });

  it('without a message says how to send one', async () => {
    const empty = await memoryDeployment(4);
    const ran = await empty.run(['tamper', '--local']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('npx intact send');
  });
});

describe('the operator', () => {
  it('recovers a lost head only after typing the origin', async () => {
    const { head } = cloud.world.log.tables;
    cloud.world.log.tables.head = undefined;
    const asked = await cloud.run(['recover-head']);
    expect(asked.code).toBe(2);
    expect(cloud.world.log.tables.head).toBeUndefined();
    expect((await cloud.run(['recover-head', '--confirm', 'example.com/other'])).code).toBe(2);
    expect(cloud.world.log.tables.head).toBeUndefined();
    expect((await cloud.run(['recover-head', '--confirm', cloud.world.identity.origin])).code).toBe(0);
    expect(cloud.world.log.tables.head).toEqual(head);
  });

  it('is told that there is nothing to recover', async () => {
    const ran = await cloud.run(['recover-head']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('nothing to do');
  });

  it('rotates the key only when the new one is named and the origin typed', async () => {
    expect((await cloud.run(['rotate-key'])).code).toBe(2);
    expect((await cloud.run(['rotate-key', '--to-key', 'arn:aws:kms:x'])).code).toBe(2);
    expect((await cloud.run(['rotate-key', '--to-key', 'arn:aws:kms:x', '--confirm', cloud.world.identity.origin])).stdout).toBe(`${vkey}\n`);
  });

  it('seals what is missing, of which there is nothing', async () => {
    const ran = await cloud.run(['seal-missing', '--json']);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toEqual({ waiting: 0, sealed: 0 });
  });
});
