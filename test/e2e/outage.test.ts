/**
 * What the system depends on stops working, one thing at a time, by taking the right to it from the function that needs it; then it works again. A delivery is
 * answered 5xx as long as not all of it is durable, what was answered 200 is never lost, and after Meta's resend everything is there once.
 */
import { createHash } from 'node:crypto';
import { withoutRight } from './harness/as-function';
import { outputs } from './harness/cloud';
import { answer, messages, newMarker, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post, type WebhookAnswer } from './harness/post';
import { allSealed, checkpoint, entriesOf, recordsUnder, vaultObject } from './harness/published-log';
import { objectVersions, scan, type Item } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { logLines } from './harness/watching';

const began = new Date();
const marker = newMarker();

interface Delivery {
  readonly phoneNumberId: string;
  readonly body: string;
  readonly n: number;
}
/** `n` messages of two new people. */
function deliveryOf(n: number, padding = 0): Delivery {
  const phoneNumberId = newPhoneNumberId();
  return { phoneNumberId, n, body: messages(phoneNumberId, ...textsOf(n, padding)) };
}
function textsOf(n: number, padding = 0): readonly string[] {
  const people = [newPerson(), newPerson()];
  return Array.from({ length: n }, (_, i) => text({ from: people[i % 2] ?? '', body: `${marker} ${i}`.padEnd(padding, '.') }));
}
const messagesOf = async ({ phoneNumberId }: Delivery): Promise<readonly Item[]> => (await recordsUnder(phoneNumberId)).filter(({ kind }) => kind?.S === 'message');
const askForAgain = ({ status, contentType, text: said }: WebhookAnswer): object => ({ asksAgain: status >= 500 && status <= 599, contentType, tells: said.includes(marker) });
const askedForAgain = { asksAgain: true, contentType: 'application/problem+json', tells: false };

/** Entries of a delivery's messages in the log: one for each, however often it was sent and tried. */
async function sealedOnce(delivery: Delivery): Promise<void> {
  const records = await messagesOf(delivery);
  expect(records).toHaveLength(delivery.n);
  for (const subject of new Set(records.map((record) => record['subject']?.S ?? ''))) {
    const mine = records.filter((record) => record['subject']?.S === subject);
    const entries = (await entriesOf(subject, mine.length + 3)).map(({ kind, id }) => `${kind} ${id}`);
    expect([entries.filter((entry) => entry.startsWith('message')).length, entries.length, new Set(entries).size]).toEqual([mine.length, mine.length + 3, mine.length + 3]);
  }
}

describe('while the records table', () => {
  it('takes no puts, a delivery is answered 5xx; sent again later it is recorded once', async () => {
    const delivery = deliveryOf(6);
    const answers = await withoutRight('receive-webhook', ['dynamodb:PutItem'], async () => [await post(delivery.body), await post(delivery.body)]);
    expect(answers.map(askForAgain)).toEqual([askedForAgain, askedForAgain]);
    expect(await messagesOf(delivery)).toEqual([]);
    expect((await post(delivery.body)).json).toEqual(answer(delivery.body, { recorded: 6 }));
    expect((await post(delivery.body)).json).toEqual(answer(delivery.body, { duplicate: 6 }));
    await sealedOnce(delivery);
  }, 60_000);

  it('cannot be read, a delivery is answered 5xx, though some of it may be recorded; sent again it is whole and doubled nowhere', async () => {
    const [phoneNumberId, known, unknown] = [newPhoneNumberId(), textsOf(4), textsOf(6)];
    await post(messages(phoneNumberId, ...known));
    const mixed: Delivery = { phoneNumberId, n: 10, body: messages(phoneNumberId, ...known, ...unknown) };
    expect(askForAgain(await withoutRight('receive-webhook', ['dynamodb:GetItem', 'dynamodb:Query'], () => post(mixed.body)))).toEqual(askedForAgain);
    const { status, json } = await post(mixed.body);
    expect([status, Number(json?.['recorded']) + Number(json?.['duplicate']), json?.['conflict'], json?.['variant']]).toEqual([200, 10, 0, 0]);
    expect(await messagesOf(mixed)).toHaveLength(10);
  }, 60_000);
});

describe('while the inbox', () => {
  it('takes no objects, a big delivery is answered 5xx and nothing of it is kept; sent again it goes the same way as ever', async () => {
    const delivery = deliveryOf(20, 10_000);
    const name = createHash('sha256').update(delivery.body).digest('hex');
    expect(askForAgain(await withoutRight('receive-webhook', ['s3:PutObject'], () => post(delivery.body)))).toEqual(askedForAgain);
    expect([await messagesOf(delivery), (await objectVersions(outputs.InboxBucketName)).filter(({ Key }) => Key?.includes(name))]).toEqual([[], []]);
    expect((await post(delivery.body)).json).toEqual(answer(delivery.body, { queued: 1 }));
    await waitFor('the inbox to be worked off', async () => (await messagesOf(delivery)).length === 20);
    await sealedOnce(delivery);
  }, 60_000);
});

describe('while the vault', () => {
  it('takes no segments, deliveries are recorded all the same; the sealer waits, loses nothing and doubles nothing', async () => {
    await allSealed();
    const before = await checkpoint();
    const delivery = deliveryOf(5);
    await withoutRight('seal-records', ['s3:PutObject'], async () => {
      expect((await post(delivery.body)).json).toEqual(answer(delivery.body, { recorded: 5 }));
      await waitFor('the sealer to have failed', async () => (await logLines(began)).some(({ group, json }) => group.endsWith('/seal-records') && json['level'] === 'ERROR'));
      expect(await checkpoint()).toEqual(before);
    });
    await sealedOnce(delivery);
  }, 90_000);
});

describe('while nothing can be signed', () => {
  it('the log goes on growing unseen; then one checkpoint covers all of it', async () => {
    await allSealed();
    const before = await checkpoint();
    const delivery = deliveryOf(5);
    const head = async (): Promise<number> => Number((await scan(outputs.LogTableName)).find(({ pk }) => pk?.S === 'head')?.['size']?.N);
    await withoutRight('publish-log', ['kms:Sign'], async () => {
      expect((await post(delivery.body)).json).toEqual(answer(delivery.body, { recorded: 5 }));
      await waitFor('the head to move', async () => (await head()) >= before.size + 5);
      await waitFor('the publisher to have failed', async () => (await logLines(began)).some(({ group, json }) => group.endsWith('/publish-log') && json['level'] === 'ERROR'));
      expect(await checkpoint()).toEqual(before);
    });
    await sealedOnce(delivery);
    expect((await checkpoint()).size).toBeGreaterThanOrEqual(before.size + 5);
    expect(await vaultObject(`checkpoints/${(await checkpoint()).size}`)).toBeDefined();
  }, 90_000);
});

describe('afterwards', () => {
  it('the vault verifies clean', async () => {
    const { code, stdout } = await intact(['verify', '--vkey', (await intact(['key'])).stdout.trim(), '--no-memory', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ ok: true, findings: [] })]);
  }, 60_000);

  it('the failures are in the logs, without a word of what was sent', async () => {
    const lines = await logLines(began);
    const failed = lines.filter(({ json }) => json['level'] === 'ERROR').map(({ group }) => group.split('/').at(-1));
    expect([...new Set(failed)].sort()).toEqual(['publish-log', 'receive-webhook', 'seal-records']);
    expect(lines.filter(({ text: line }) => line.includes(marker))).toEqual([]);
  });
});
