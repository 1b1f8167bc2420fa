/** get, list, quarantine, key, env: what they show of records that a delivery left, and of records that somebody left. */
import { keyOf } from '../../src/core/image';
import { formatVkey, verifierKey } from '../../src/core/log/vkey';
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

let cloud: MemoryDeployment;
const send = (body: string) => cloud.run(['send', '-', '--json'], { stdin: body });

beforeEach(async () => {
  cloud = await memoryDeployment();
});

async function changeByHand(): Promise<void> {
  for await (const image of cloud.world.records.scan({ kinds: ['message'] })) cloud.world.records.byHand.put({ ...image, text: { S: 'never said' } });
}

describe('intact get', () => {
  it('shows the message as recorded', async () => {
    await send(delivery('wamid.A', 'good morning'));
    const ran = await cloud.run(['get', 'wamid.A']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('good morning');
    const json = JSON.parse((await cloud.run(['get', 'wamid.A', '--json'])).stdout);
    expect(json).toMatchObject({ messageId: 'wamid.A', found: [{ phoneNumberId: '307000000000042', records: [{ kind: 'message', text: 'good morning', rev: 1, isGenuine: true }] }] });
    const raw = Buffer.from(json.found[0].records[0].raw, 'base64').toString();
    expect(JSON.parse(raw)).toMatchObject({ id: 'wamid.A', text: { body: 'good morning' } });
  });

  it('of an unknown id is exit 1, with an empty answer', async () => {
    const ran = await cloud.run(['get', 'wamid.none', '--json']);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toEqual({ messageId: 'wamid.none', found: [] });
  });

  it('of a record changed by hand is exit 1 and says so', async () => {
    await send(delivery('wamid.A', 'good morning'));
    await changeByHand();
    const ran = await cloud.run(['get', 'wamid.A']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('NOT AS WRITTEN');
    expect(ran.stderr).toContain('docs/runbook.md#record-mac-invalid');
  });

  it('shows escape sequences instead of obeying them', async () => {
    await send(delivery('wamid.A', 'a\u001b[2Jb'));
    const { stdout } = await cloud.run(['get', 'wamid.A']);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('a\\u{1b}[2Jb');
  });
});

describe('intact list', () => {
  it('lists what is recorded, of one kind where asked', async () => {
    await send(delivery('wamid.A', 'one'));
    await send(delivery('wamid.B', 'two'));
    const messages = JSON.parse((await cloud.run(['list', '--kind', 'message', '--json'])).stdout) as { messageId: string }[];
    expect(messages.map(({ messageId }) => messageId).sort()).toEqual(['wamid.A', 'wamid.B']);
    const all = JSON.parse((await cloud.run(['list', '--json'])).stdout) as { kind: string }[];
    expect(new Set(all.map(({ kind }) => kind))).toContain('customer');
  });

  it('of nothing is an empty array and exit 0', async () => {
    const ran = await cloud.run(['list', '--kind', 'gap', '--json']);
    expect(ran).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toEqual([]);
  });

  it('leaves out what is older than --since', async () => {
    await send(delivery('wamid.A', 'one'));
    cloud.world.advance(3 * 3_600_000);
    await send(delivery('wamid.B', 'two'));
    const ids = async (since: string) => (JSON.parse((await cloud.run(['list', '--kind', 'message', '--since', since, '--json'])).stdout) as { messageId: string }[]).map(({ messageId }) => messageId);
    expect(await ids('1h')).toEqual(['wamid.B']);
    expect(await ids('4h')).toEqual(['wamid.B', 'wamid.A']);
  });

  it('is exit 1 when a record is not as written', async () => {
    await send(delivery('wamid.A', 'one'));
    await changeByHand();
    expect((await cloud.run(['list'])).code).toBe(1);
  });

  it.each([['--kind', 'mesage', /did you mean message/], ['--since', 'yesterday', /is no time/], ['--limit', '0', /number from 1 on/]])('%s %s is wrong usage', async (option, value, message) => {
    const ran = await cloud.run(['list', option, value]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(message);
  });
});

describe('intact quarantine', () => {
  it('lists, shows with the exact bytes, and replays what still does not fit without losing it', async () => {
    const bytes = '{"object": "whatsapp_business_account", "entry": 7}';
    await send(bytes);
    const [item] = JSON.parse((await cloud.run(['quarantine', 'list', '--json'])).stdout) as { id: string; state: string; raw?: string }[];
    expect(item).toMatchObject({ state: 'open' });
    expect(item?.raw).toBeUndefined();
    const shown = JSON.parse((await cloud.run(['quarantine', 'show', item?.id ?? '', '--json'])).stdout) as { raw: string };
    expect(Buffer.from(shown.raw, 'base64').toString()).toBe(bytes);
    const replayed = await cloud.run(['quarantine', 'replay', '--json']);
    expect(replayed.code).toBe(1);
    expect(JSON.parse(replayed.stdout)).toEqual([{ id: item?.id, outcome: 'still-bad' }]);
  });

  it('that is empty is exit 0 everywhere but for an unknown id', async () => {
    expect((await cloud.run(['quarantine', 'list'])).code).toBe(0);
    expect((await cloud.run(['quarantine', 'replay'])).code).toBe(0);
    expect((await cloud.run(['quarantine', 'show', 'x'])).code).toBe(1);
  });
});

describe('intact key', () => {
  it('prints the line of the signing key once the vault publishes the same', async () => {
    await cloud.settle();
    const vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
    const ran = await cloud.run(['key']);
    expect(ran).toMatchObject({ code: 0, stdout: `${vkey}\n` });
    expect(JSON.parse((await cloud.run(['key', '--json'])).stdout)).toEqual({ origin: cloud.world.identity.origin, vkey, published: [vkey], agrees: true });
  });

  it('is exit 1 when the vault publishes another one', async () => {
    await cloud.settle();
    cloud.world.vault.objects.set('log.vkeys', Buffer.from(`${formatVkey(verifierKey(cloud.world.identity.origin, Buffer.alloc(32, 7)))}\n`));
    const ran = await cloud.run(['key']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('another key');
  });

  it('is exit 1 when the published keys cannot be read', async () => {
    await cloud.settle();
    cloud.world.vault.objects.set('log.vkeys', Buffer.from('nonsense'));
    expect((await cloud.run(['key'])).code).toBe(1);
  });
});

describe('intact env', () => {
  it('prints export lines, nothing else, and takes away what leads elsewhere', async () => {
    const { code, stdout } = await cloud.run(['env']);
    expect(code).toBe(0);
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^(export [A-Z0-9_]+=\S+|unset( [A-Z0-9_]+)+)$/);
    expect(stdout).toContain('export AWS_ENDPOINT_URL=https://127.0.0.1:1');
    expect(stdout).toMatch(/^unset .*AWS_PROFILE.*AWS_ENDPOINT_URL_S3/);
    expect(stdout).toContain('export INTACT_RECORDS_TABLE_NAME=records');
  });

  it('of a stage on AWS holds no credentials and no endpoint', async () => {
    Object.assign(cloud.deployment, { target: { kind: 'aws', stage: 'prod' }, region: 'eu-central-1' });
    const { stdout } = await cloud.run(['env']);
    expect(stdout).toContain('export AWS_REGION=eu-central-1');
    expect(stdout).not.toMatch(/ENDPOINT|ACCESS_KEY|unset/);
  });
});

describe('records that are not ours', () => {
  it('keep their key in what is shown, so they can be looked up', async () => {
    await send(delivery('wamid.A', 'one'));
    const [record] = JSON.parse((await cloud.run(['list', '--kind', 'message', '--json'])).stdout) as { pk: string; sk: string }[];
    for await (const image of cloud.world.records.scan({ kinds: ['message'] })) expect({ pk: record?.pk, sk: record?.sk }).toEqual(keyOf(image));
  });
});
