/**
 * What is not signed as it must be leaves no trace but a count. "No trace" is judged on everything there is: every item of every table, every version of
 * every object of both buckets, before and after.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { appSecret, get, post, signatureOf, type WebhookAnswer } from './harness/post';
import { allSettled, recordsUnder } from './harness/published-log';
import { scan } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { counted, logLines } from './harness/watching';

const began = new Date();
const marker = newMarker();
const body = messages(newPhoneNumberId(), text({ from: newPerson(), body: `Pay the invoice to another account ${marker}` }));

/** Every item and every version of every object: a name, and a hash of what is there. */
async function everything(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const table of ['RecordsTableName', 'LogTableName', 'KeysTableName', 'ViewsTableName'] as const) {
    for (const item of await scan(outputs[table])) {
      found.set(`${table} ${item['pk']?.S} ${item['sk']?.S}`, createHash('sha256').update(JSON.stringify(item)).digest('hex'));
    }
  }
  for (const bucket of ['VaultBucketName', 'InboxBucketName'] as const) {
    let at: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await aws.s3.send(new ListObjectVersionsCommand({ Bucket: outputs[bucket], ...at }));
      for (const { Key, VersionId, ETag } of page.Versions ?? []) found.set(`${bucket} ${Key} ${VersionId}`, ETag ?? '');
      for (const { Key, VersionId } of page.DeleteMarkers ?? []) found.set(`${bucket} ${Key} ${VersionId}`, 'deleted');
      if (page.IsTruncated !== true) break;
      at = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }
  return found;
}

const changed = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name)).sort();

/** Names of what `act` leaves changed. When a heartbeat or a scheduled verification came in between, nothing is known, and it is done again. */
async function changesLeftBy(act: () => Promise<void>): Promise<readonly string[]> {
  for (;;) {
    await allSettled();
    // Partials are deleted after the checkpoint is out.
    let before = await everything();
    await waitFor('the stores to be quiet', async () => {
      const now = await everything();
      const isQuiet = changed(before, now).length === 0;
      before = now;
      return isQuiet;
    }, { everyMs: 500 });
    await act();
    const changes = changed(before, await everything());
    if (!changes.some((name) => /^RecordsTableName (heartbeat#|verification)/.test(name))) return changes;
  }
}

const problem = (status: number, code: string): object => ({ status, contentType: 'application/problem+json', json: { type: `urn:intact:problem:${code}`, title: expect.any(String), status, instance: expect.stringMatching(/^urn:uuid:/) } });
const seen = ({ status, contentType, json }: WebhookAnswer): object => ({ status, contentType, json });

/** Each is the good one with one thing changed. */
async function refusals(): Promise<readonly (readonly [string, string, () => Promise<WebhookAnswer>])[]> {
  const { appSecrets: [secret = ''] } = await appSecret();
  const good = signatureOf(Buffer.from(body), secret);
  const big = messages(newPhoneNumberId(), text({ from: newPerson(), body: marker.padEnd(2_000_000, '.') }));
  return [
    ['no signature', 'signature-missing', () => post(body, { sign: 'none' })],
    ['an empty signature', 'signature-missing', () => post(body, { signature: '' })],
    ['a signature with another secret', 'signature-mismatch', () => post(body, { sign: 'forged' })],
    ['a big body with a wrong signature', 'signature-mismatch', () => post(big, { sign: 'forged' })],
    ['the signature of another body', 'signature-mismatch', () => post(body.replace('Pay', 'pay'), { signature: good })],
    ['the signature of the same JSON in other bytes', 'signature-mismatch', () => post(JSON.stringify(JSON.parse(body), undefined, 1), { signature: good })],
    ['a signature with an empty secret', 'signature-mismatch', () => post(body, { sign: { secret: '' } })],
    ['the signature of nothing', 'signature-mismatch', () => post(body, { signature: signatureOf(Buffer.alloc(0), secret) })],
    ['a signature one digit short', 'signature-malformed', () => post(body, { signature: good.slice(0, -1) })],
    ['a signature one digit long', 'signature-malformed', () => post(body, { signature: `${good}0` })],
    ['a signature in capitals', 'signature-malformed', () => post(body, { signature: `sha256=${good.slice(7).toUpperCase()}` })],
    ['a signature without its name', 'signature-malformed', () => post(body, { signature: good.slice(7) })],
    ['the older SHA-1 signature', 'signature-malformed', () => post(body, { signature: `sha1=${createHmac('sha1', secret).update(body).digest('hex')}` })],
    ['two signatures, the good one second', 'signature-malformed', () => post(body, { signature: `sha256=${randomBytes(32).toString('hex')}, ${good}` })],
  ];
}

describe('a delivery that is not signed as it must be', () => {
  it('gets 401 and its reason, is counted, and leaves every store as it was', async () => {
    const cases = await refusals();
    let before = 0;
    const changes = await changesLeftBy(async () => {
      before = await counted('SignaturesRefused');
      for (const [what, code, send] of cases) expect([what, seen(await send())]).toEqual([what, problem(401, code)]);
      await waitFor('the refusals to be counted', async () => (await counted('SignaturesRefused')) - before >= cases.length);
    });
    expect(changes).toEqual([]);
    expect((await counted('SignaturesRefused')) - before).toBe(cases.length);
    const lines = await logLines(began);
    expect(lines.filter(({ json }) => json['message'] === 'delivery refused').length).toBeGreaterThanOrEqual(cases.length);
    expect(lines.filter(({ text: line }) => line.includes(marker))).toEqual([]);
  }, 120_000);

  it('was refused for its signature alone: the same bytes signed well are recorded', async () => {
    const sent = await post(body);
    expect([sent.status, sent.json]).toEqual([200, answer(body, { recorded: 1 })]);
  });
});

describe("Meta's handshake", () => {
  const handshake = async (change: Readonly<Record<string, string | undefined>> = {}): Promise<WebhookAnswer> => {
    const query = { 'hub.mode': 'subscribe', 'hub.verify_token': (await appSecret()).verifyToken, 'hub.challenge': '1158201444', ...change };
    return get(Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))));
  };

  it('is answered with the bare challenge', async () => {
    const { status, contentType, text: answered } = await handshake();
    expect([status, contentType, answered]).toEqual([200, 'text/plain; charset=utf-8', '1158201444']);
  });

  it.each([
    ['another token', { 'hub.verify_token': 'guessed' }],
    ['an empty token', { 'hub.verify_token': '' }],
    ['no token', { 'hub.verify_token': undefined }],
    ['no mode', { 'hub.mode': undefined }],
    ['another mode', { 'hub.mode': 'unsubscribe' }],
    ['no challenge', { 'hub.challenge': undefined }],
    ['a challenge that is a script', { 'hub.challenge': '<script>alert(1)</script>' }],
    ['a challenge without end', { 'hub.challenge': '1'.repeat(5_000) }],
  ])('with %s gets 403 and nothing of itself back', async (_, change) => {
    const refused = await handshake(change);
    expect(seen(refused)).toEqual(problem(403, 'handshake-refused'));
    expect(refused.text).not.toMatch(/script|1111/);
  });

  it('tells its token to no log', async () => {
    await handshake({ 'hub.verify_token': `wrong${marker}` });
    const { verifyToken, appSecrets: [secret = ''] } = await appSecret();
    const lines = await logLines(began);
    expect(lines.filter(({ json }) => json['message'] === 'handshake').length).toBeGreaterThanOrEqual(1);
    expect(lines.filter(({ text: line }) => [verifyToken, secret, marker].some((each) => line.includes(each)))).toEqual([]);
  });
});

describe('any other request', () => {
  it('is refused, signed well or not, and leaves every store as it was', async () => {
    const other = messages(newPhoneNumberId(), text({ from: newPerson(), body: marker }));
    const signed = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(Buffer.from(other), (await appSecret()).appSecrets[0] ?? '') };
    const changes = await changesLeftBy(async () => {
      for (const [method, path] of [['PUT', ''], ['DELETE', ''], ['PATCH', ''], ['POST', '/other'], ['POST', '/webhook']] as const) {
        const { status } = await fetch(`${outputs.WebhookUrl}${path}`, { method, headers: signed, body: other });
        expect([method, path, status]).toEqual([method, path, 404]);
      }
    });
    expect(changes).toEqual([]);
    expect((await post(other)).json).toEqual(answer(other, { recorded: 1 }));
  }, 60_000);
});

describe('while the app secret is rotated', () => {
  const rotateTo = async (...appSecrets: readonly string[]): Promise<void> => {
    const { verifyToken } = await appSecret();
    await aws.secrets.send(new PutSecretValueCommand({ SecretId: outputs.AppSecretArn, SecretString: JSON.stringify({ appSecrets, verifyToken }) }));
  };
  const signedWith = async (secret: string): Promise<{ readonly phoneNumberId: string; readonly body: string; readonly sent: WebhookAnswer }> => {
    const phoneNumberId = newPhoneNumberId();
    const each = messages(phoneNumberId, text({ from: newPerson(), body: marker }));
    return { phoneNumberId, body: each, sent: await post(each, { sign: { secret } }) };
  };
  const recordedWith = async (secret: string): Promise<boolean> => {
    const { body: each, sent } = await signedWith(secret);
    expect([200, 401]).toContain(sent.status);
    if (sent.status === 200) expect(sent.json).toEqual(answer(each, { recorded: 1 }));
    return sent.status === 200;
  };

  it('the new secret and the previous one are good without a restart, and one that was taken out is refused and leaves no record', async () => {
    const { appSecrets } = await appSecret();
    const [previous = ''] = appSecrets;
    const [current, next] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    // Makes the function read the secret if it has not for 10 s. Its minute is then not over before the waiting below is: what is accepted there was seen because of a mismatch.
    expect(await recordedWith(next)).toBe(false);
    try {
      await rotateTo(current, previous);
      await waitFor('the new secret to be accepted', () => recordedWith(current), { withinMs: 30_000, everyMs: 1_000 });
      expect(await recordedWith(previous)).toBe(true);
      // The first one stays good throughout, because the tests that follow sign with it.
      await rotateTo(next, previous);
      await waitFor('the next secret to be accepted', () => recordedWith(next), { withinMs: 30_000, everyMs: 1_000 });
      expect(await recordedWith(previous)).toBe(true);
      // A second instance of the function may not have read it anew yet; within a minute none knows the old one.
      const refused = await waitFor('the secret taken out to be refused', async () => {
        const each = await signedWith(current);
        return each.sent.status === 401 && each;
      }, { withinMs: 70_000, everyMs: 1_000 });
      expect(seen(refused.sent)).toEqual(problem(401, 'signature-mismatch'));
      expect(await recordsUnder(refused.phoneNumberId)).toEqual([]);
    } finally {
      await rotateTo(...appSecrets);
    }
    expect(await recordedWith(previous)).toBe(true);
  }, 180_000);
});
