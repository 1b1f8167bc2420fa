/**
 * Signed means kept. Each odd delivery is a good one with one thing changed; it is answered 200, what it held is recorded or quarantined with its reason, its
 * bytes unchanged, and what stood beside it does not notice. No function fails at it, the log takes all of it exactly once, and what was quarantined can be
 * listed, shown and replayed.
 */
import { createHash } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { answerOf } from '../../local/webhook';
import type { FunctionName } from '../../lib/constructs/alarm-registry';
import { aws, outputs } from './harness/cloud';
import { answer, delivery, deliveryIdOf, nested, newAccount, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { appSecret, post, signatureOf, type WebhookAnswer } from './harness/post';
import { allSealed, publishedEntries, vaultObject, type SealedEntry } from './harness/published-log';
import { objectVersions, scan, type Item } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { errorsOf, logLines } from './harness/watching';

type Counts = Parameters<typeof answer>[1];

interface Odd {
  readonly what: string;
  readonly body: string | Buffer;
  /** API Gateway hands JSON over as text, in which such bytes are gone; anything else it hands over as it came. */
  readonly contentType?: string;
  readonly expected: Counts;
  /** What must be kept of it somewhere, byte for byte. */
  readonly raw: string | Buffer;
  /** Attributes of the record that keeps it. */
  readonly kept: object;
}

const began = new Date();
const marker = newMarker();
const account = newAccount();
const phoneNumberId = newPhoneNumberId();
const good = (): string => text({ from: newPerson(), body: `a neighbour ${marker}` });
const value = (members: string, field = 'messages'): string => delivery(phoneNumberId, members, { account, field });

/** A message between two good ones. */
const between = (what: string, message: string, kept: object, outcome: 'recorded' | 'quarantined' = 'recorded'): Odd => ({
  what,
  body: value(`"messages":[${good()},${message},${good()}]`),
  expected: outcome === 'recorded' ? { recorded: 3 } : { recorded: 2, quarantined: 1 },
  raw: message,
  kept,
});
const quarantined = (reason: string, more: object = {}): object => ({ kind: { S: 'quarantine' }, reason: { S: reason }, ...more });
/** A whole delivery that holds no event. */
const whole = (what: string, body: string | Buffer, reason: string): Odd => ({ what, body, expected: { quarantined: 1 }, raw: body, kept: quarantined(reason) });
/** A message with its members written by hand. */
const message = (members: string): string => `{"from":"${newPerson()}","id":"${newMessageId()}","timestamp":"1790000000",${members}}`;
const written = (body: string): string => message(`"type":"text","text":{"body":"${marker} ${body}"}`);
const recordedAs = (attributes: object): object => ({ kind: { S: 'message' }, ...attributes });
const anomalies = (...codes: readonly string[]): object => ({ anomalies: { L: codes.map((S) => ({ S })) } });
/** The names every object has in JavaScript: a look-up that forgets it finds something under them. */
const inherited = ['constructor', '__proto__'];
const everyHalf = Array.from({ length: 2048 }, (_, i) => `\\u${(0xd800 + i).toString(16)}`).filter((_, i) => i % 2 === 0 || i < 1024).reverse().join('');

const odd: readonly Odd[] = [
  whole('not JSON', `hello ${marker}`, 'not-json'),
  whole('JSON cut off on the way', value(`"messages":[${good()}`).slice(0, -5), 'not-json'),
  whole('a byte order mark', `\ufeff${value(`"messages":[${good()}]`)}`, 'not-json'),
  whole('10,000 lists that nobody closes', `["${marker}",${'['.repeat(10_000)}`, 'not-json'),
  whole('JSON that is no delivery', JSON.stringify([marker]), 'wrong-envelope'),
  whole("another product's delivery", value(`"messages":[${good()}]`).replace('whatsapp_business_account', 'instagram'), 'wrong-envelope'),
  whole('entry as an object', `{"object":"whatsapp_business_account","entry":{"${marker}":1}}`, 'wrong-envelope'),
  whole('nothing but lists', nested(30_000, `"${marker}"`), 'wrong-envelope'),
  between('a type nobody knows', message(`"type":"hologram","hologram":{"caption":"${marker}"}`), recordedAs({ type: { S: 'hologram' }, unknownType: { BOOL: true } })),
  ...inherited.map((type) => between(`a type called ${type}`, message(`"type":"${type}","${type}":{"caption":"${marker}"}`), recordedAs({ type: { S: type }, unknownType: { BOOL: true } }))),
  between('no type', message(`"text":{"body":"${marker}"}`), recordedAs({ unknownType: { BOOL: true } })),
  between('no sender', written('x').replace(/"from":"\d+",/, ''), recordedAs({})),
  between('a sender of 50,000 digits', text({ from: '1'.repeat(50_000), body: marker }), recordedAs({ contentName: { S: expect.stringMatching(/^content\/[\w-]{43}$/) } })),
  between('a sender that is a number', text({ from: 'x', body: marker }).replace('"from":"x"', '"from":15550001111'), recordedAs({})),
  between('no id', written('x').replace(/"id":"[^"]+",/, ''), quarantined('no-id'), 'quarantined'),
  between('an id of 300 characters', text({ id: 'w'.repeat(300), from: newPerson(), body: marker }), quarantined('invalid-id'), 'quarantined'),
  between('half a character in the id', written('x').replace('"id":"', '"id":"\\udc00'), quarantined('invalid-id'), 'quarantined'),
  between('a control character in the id', written('x').replace('"id":"', '"id":"\\u0000#m#'), recordedAs({ messageId: { S: expect.stringMatching(/^\0#m#wamid/) } })),
  between('no timestamp', written('x').replace(/"timestamp":"\d+",/, ''), quarantined('no-timestamp'), 'quarantined'),
  between('a timestamp beyond all numbers', written('x').replace('"1790000000"', '1e400'), recordedAs({ timestamp: { S: '1e400' }, ...anomalies('inexact-number') })),
  between('a text without body', message(`"type":"text","text":{"preview":"${marker}"}`), quarantined('wrong-shape', { path: { S: expect.stringMatching(/messages\[1\]\.text\.body$/) } }), 'quarantined'),
  between('a message that is a list', `["${marker}"]`, quarantined('wrong-shape'), 'quarantined'),
  between('5,000 lists in a member', message(`"type":"text","text":{"body":"${marker}"},"more":${nested(5_000)}`), recordedAs({ text: { S: marker }, ...anomalies('too-deep') })),
  between('50,000 lists in a member', message(`"type":"text","text":{"body":"${marker}"},"more":${nested(50_000)}`), recordedAs({ ...anomalies('too-deep'), contentBytes: { N: expect.any(String) } })),
  between('a body written twice', message(`"type":"text","text":{"body":"first ${marker}"},"text":{"body":"second ${marker}"}`), recordedAs({ text: { S: `second ${marker}` }, ...anomalies('duplicate-key') })),
  between('an id written twice', written('x').replace('"id":', `"id":"${newMessageId()}","id":`), quarantined('ambiguous-identity'), 'quarantined'),
  between('half a character in the text', written('\\ud83d!'), recordedAs({ text: { S: `${marker} \ufffd!` }, textClean: { S: `${marker} !` }, ...anomalies('lone-surrogate') })),
  between('a thousand different halves of characters', written(everyHalf), recordedAs(anomalies('lone-surrogate'))),
  between('NUL and other controls', written('a\\u0000b\\u001b[31mc\\u202ed'), recordedAs({ text: { S: `${marker} a\0b\u001b[31mc\u202ed` }, textClean: { S: `${marker} ab[31mcd` }, removed: { L: expect.any(Array) } })),
  between('an emptied text', message(`"type":"text","text":{"body":"\\u0000\\u0007"},"more":"${marker}"`), recordedAs({ text: { S: '\0\u0007' }, textClean: { S: '' } })),
  between('an empty text', message(`"type":"text","text":{"body":""},"more":"${marker}"`), recordedAs({ type: { S: 'text' } })),
  between('a number that no double holds', message(`"type":"text","text":{"body":"${marker}"},"order":9007199254740993`), recordedAs(anomalies('inexact-number'))),
  between('a text of 100,000 characters', text({ from: newPerson(), body: `${marker} ${'ü'.repeat(50_000)}` }), recordedAs({ contentSha256: { B: expect.anything() } })),
  between('a contact of the same name as every object', text({ from: newPerson(), body: marker, rest: ',"context":{"__proto__":{"id":"x"},"constructor":null}' }), recordedAs({ text: { S: marker } })),
  { what: 'bytes that are no UTF-8', contentType: 'application/octet-stream', body: Buffer.from(value(`"messages":[${text({ id: 'wamid.BYTES', from: newPerson(), body: marker })}]`).replace('BYTES', newMarker()).replace(marker, `${marker} \u00fe\u00ff`), 'latin1'), expected: { recorded: 1 }, raw: Buffer.from('"body":"'), kept: recordedAs(anomalies('invalid-utf8')) },
  ...inherited.map((field): Odd => ({ what: `a field called ${field}`, body: value(`"about":"${marker}"`, field), expected: { recorded: 1 }, raw: `"about":"${marker}"`, kept: { kind: { S: 'field' }, field: { S: field }, unknownType: { BOOL: true } } })),
  ...inherited.map((member): Odd => ({ what: `a member called ${member}`, body: value(`"messages":[${good()}],"${member}":[{"about":"${marker}"}]`), expected: { recorded: 2 }, raw: `{"about":"${marker}"}`, kept: { kind: { S: 'field' }, member: { S: member }, unknownType: { BOOL: true } } })),
  ...inherited.map((status): Odd => { const raw = `{"id":"${newMessageId()}","status":"${status}","timestamp":"1790000000","recipient_id":"${newPerson()}"}`; return { what: `a status called ${status}`, body: value(`"statuses":[${raw}]`), expected: { recorded: 1 }, raw, kept: { kind: { S: 'status' }, status: { S: status }, unknownType: { BOOL: true } } }; }),
  { what: 'messages that are no list', body: value(`"messages":{"about":"${marker}"}`), expected: { quarantined: 1 }, raw: `{"about":"${marker}"}`, kept: quarantined('wrong-shape') },
  { what: 'no business number', body: value(`"messages":[${good()}]`).replace(/"metadata":\{[^}]+\},/, ''), expected: { quarantined: 1 }, raw: marker, kept: quarantined('no-phone-number-id') },
];

/** The second of two members called "messages" counts; the first is kept, and becomes a message when it is replayed. */
const replayable = text({ from: newPerson(), body: `written first ${marker}` });
const writtenTwice = value(`"messages":[${replayable}],"messages":[${good()}]`);

const longTexts = Array.from({ length: 24 }, (_, i) => text({ from: newPerson(), body: `${marker} ${i} `.padEnd(125_000, 'long ') }));
const threeMegabytes = value(`"messages":[${longTexts.join(',')}]`);

const writers = Array.from({ length: 25 }, newPerson);
const thousand = Array.from({ length: 1000 }, (_, i) => i === 500 ? `{"type":"text","text":{"body":"${marker} without id"}}` : text({ from: writers[i % writers.length] ?? '', body: `${marker} ${i}` }));
const thousandUpdates = value(`"messages":[${thousand.join(',')}]`);

const functions: readonly FunctionName[] = ['receive-webhook', 'process-inbox', 'seal-records', 'publish-log', 'project-views'];
const failures = (): Promise<readonly number[]> => Promise.all(functions.map(errorsOf));

let failedBefore: readonly number[];
let answers: ReadonlyMap<string, WebhookAnswer>;
let records: ReadonlyMap<string, readonly Item[]>;
let log: readonly SealedEntry[];

async function postAs(contentType: string, body: string | Buffer): Promise<WebhookAnswer> {
  const bytes = Buffer.from(body);
  const headers = { 'content-type': contentType, 'x-hub-signature-256': signatureOf(bytes, (await appSecret()).appSecrets[0] ?? '') };
  return answerOf(await fetch(outputs.WebhookUrl, { method: 'POST', headers, body: new Uint8Array(bytes) }));
}
const recordsOf = (body: string | Uint8Array): readonly Item[] => records.get(deliveryIdOf(body)) ?? [];
async function byDelivery(): Promise<ReadonlyMap<string, readonly Item[]>> {
  const found = new Map<string, Item[]>();
  for (const item of await scan(outputs.RecordsTableName)) {
    const id = item['deliveryId']?.S ?? '';
    found.set(id, [...(found.get(id) ?? []), item]);
  }
  return found;
}
const named = (item: Item, name: string): string => item[name]?.S ?? '';
const inboxObject = async (Key: string): Promise<Buffer> => Buffer.from((await (await aws.s3.send(new GetObjectCommand({ Bucket: outputs.InboxBucketName, Key }))).Body?.transformToByteArray()) ?? []);
/** The bytes a record keeps, wherever it keeps them. */
const rawOf = async (item: Item): Promise<Buffer> => (item['contentName'] === undefined ? Buffer.from(item['raw']?.B ?? []) : inboxObject(named(item, 'contentName')));

beforeAll(async () => {
  failedBefore = await failures();
  const sent = new Map<string, WebhookAnswer>();
  for (const body of [threeMegabytes, thousandUpdates, writtenTwice]) sent.set(deliveryIdOf(body), await post(body));
  for (const { body, contentType } of odd) sent.set(deliveryIdOf(body), contentType === undefined ? await post(body) : await postAs(contentType, body));
  answers = sent;
  await waitFor('the big deliveries to be worked off', async () => {
    const left = (await objectVersions(outputs.InboxBucketName, 'delivery/')).map(({ Key = '' }) => Key);
    return [threeMegabytes, thousandUpdates].every((body) => !left.some((name) => name.includes(createHash('sha256').update(body).digest('hex'))));
  }, { withinMs: 90_000, everyMs: 500 });
  records = await byDelivery();
  await allSealed();
  log = await publishedEntries();
}, 180_000);

describe('a signed delivery with', () => {
  it.each(odd.map((each) => [each.what, each] as const))('%s is kept', async (_, { body, expected, raw, kept }) => {
    const answered = answers.get(deliveryIdOf(body));
    expect([answered?.status, answered?.json]).toEqual([200, answer(body, expected)]);
    const keepers: Item[] = [];
    for (const item of recordsOf(body)) if ((item['raw'] ?? item['contentName']) !== undefined && (await rawOf(item)).includes(raw)) keepers.push(item);
    expect(keepers.map((item) => Object.fromEntries(Object.keys(kept).map((name) => [name, item[name]])))).toEqual([kept]);
    // Where nothing could be told from anything else, the neighbours are kept with the rest.
    const neighbours = keepers[0]?.['kind']?.S === 'quarantine' && expected.recorded === undefined ? [] : String(body).match(/a neighbour/g) ?? [];
    expect(recordsOf(body).filter(({ kind, text: words }) => kind?.S === 'message' && words?.S === `a neighbour ${marker}`)).toHaveLength(neighbours.length);
  });
});

describe('a delivery of 3 MB', () => {
  it('is queued, then recorded through the inbox, which keeps none of it', () => {
    const answered = answers.get(deliveryIdOf(threeMegabytes));
    expect([answered?.status, answered?.json]).toEqual([200, answer(threeMegabytes, { queued: 1 })]);
    expect(recordsOf(threeMegabytes).filter(({ kind }) => kind?.S === 'message')).toHaveLength(longTexts.length);
  });

  it('keeps long bodies outside the records, and their ciphertext in the log', async () => {
    for (const record of recordsOf(threeMegabytes).filter(({ kind }) => kind?.S === 'message').slice(0, 3)) {
      const bytes = await inboxObject(named(record, 'contentName'));
      expect(longTexts).toContain(bytes.toString());
      expect(createHash('sha256').update(bytes).digest()).toEqual(Buffer.from(record['contentSha256']?.B ?? []));
      const [entry] = log.filter(({ subject, kind }) => subject === named(record, 'subject') && kind === 'message');
      const [object] = entry?.objects ?? [];
      const blob = await vaultObject(object?.name ?? '');
      expect(createHash('sha256').update(blob ?? '').digest('hex')).toBe(object?.sha256);
      expect(blob?.includes(marker)).toBe(false);
    }
  });
});

describe('a delivery of a thousand updates, one of them without id', () => {
  it('is queued, then recorded whole', () => {
    const answered = answers.get(deliveryIdOf(thousandUpdates));
    expect([answered?.status, answered?.json]).toEqual([200, answer(thousandUpdates, { queued: 1 })]);
    const kept = recordsOf(thousandUpdates);
    expect(kept.filter(({ kind }) => kind?.S === 'message').map(({ raw }) => Buffer.from(raw?.B ?? []).toString()).sort()).toEqual(thousand.filter((_, i) => i !== 500).sort());
    expect(kept.filter(({ kind }) => kind?.S === 'quarantine')).toEqual([expect.objectContaining(quarantined('no-id', { raw: { B: Uint8Array.from(Buffer.from(thousand[500] ?? '')) } }))]);
    expect(kept.filter(({ kind }) => kind?.S === 'customer')).toHaveLength(writers.length);
  });
});

describe('all of it', () => {
  const ours = (): readonly Item[] => [threeMegabytes, thousandUpdates, writtenTwice, ...odd.map(({ body }) => body)].flatMap(recordsOf);

  it('is in the log exactly once', () => {
    const key = (subject: string, kind: string): string => `${subject} ${kind}`;
    const tally = (keys: readonly string[]): ReadonlyMap<string, number> => keys.reduce((sums, each) => sums.set(each, (sums.get(each) ?? 0) + 1), new Map<string, number>());
    // Kinds with revisions have an entry for each.
    const expected = ours().flatMap((item) => Array.from({ length: Number(item['rev']?.N) }, () => key(named(item, 'subject'), named(item, 'kind'))));
    const subjects = new Set(ours().map((item) => named(item, 'subject')));
    const inLog = log.filter(({ subject }) => subjects.has(subject)).map(({ subject, kind }) => key(subject, kind));
    expect(expected.length).toBeGreaterThan(1000);
    expect(Object.fromEntries(tally(inLog))).toEqual(Object.fromEntries(tally(expected)));
  });

  it('made no function fail and told no log a word', async () => {
    const lines = await logLines(began);
    expect(lines.length).toBeGreaterThan(odd.length);
    expect(lines.filter(({ json }) => json['level'] === 'ERROR').map(({ text: line }) => line)).toEqual([]);
    expect(lines.filter(({ text: line }) => line.includes(marker))).toEqual([]);
    expect((await failures()).map((n, i) => n - (failedBefore[i] ?? 0))).toEqual(functions.map(() => 0));
  });

  it('broke no rule that sealing looks after', async () => {
    const keys = new Set(ours().map(({ pk, sk }) => `${pk?.S} ${sk?.S}`));
    const findings = (await scan(outputs.RecordsTableName)).filter(({ kind }) => kind?.S === 'finding');
    expect(findings.filter(({ recordPk, recordSk }) => keys.has(`${recordPk?.S} ${recordSk?.S}`))).toEqual([]);
  });

  it('leaves a vault that verifies clean, locks and versions too', async () => {
    const vkey = (await intact(['key'])).stdout.trim();
    const { code, stdout } = await intact(['verify', '--vkey', vkey, '--no-memory', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, keySource: 'given', findings: [], locks: expect.anything() });
    expect(code).toBe(0);
  }, 60_000);
});

describe('quarantine on the command line', () => {
  const idOf = (body: string | Uint8Array): string => named(recordsOf(body).find(({ kind }) => kind?.S === 'quarantine') ?? {}, 'pk').slice('q#'.length);
  const notJson = odd[0]!;

  it('lists what waits, without its content', async () => {
    const { code, stdout } = await intact(['quarantine', 'list', '--json']);
    const listed = JSON.parse(stdout) as readonly Readonly<Record<string, unknown>>[];
    const ids = new Set(listed.filter(({ state }) => state === 'open').map(({ id }) => id));
    expect(code).toBe(0);
    expect(odd.filter(({ expected }) => (expected.quarantined ?? 0) > 0).filter(({ body }) => !ids.has(idOf(body)))).toEqual([]);
    expect(listed.find(({ id }) => id === idOf(notJson.body))).toMatchObject({ reason: 'not-json', isGenuine: true });
    expect(stdout).not.toContain(marker);
  });

  it('shows one with its bytes', async () => {
    const { code, stdout } = await intact(['quarantine', 'show', idOf(notJson.body), '--json']);
    const shown = JSON.parse(stdout) as { readonly raw: string; readonly reason: string };
    expect([code, Buffer.from(shown.raw, 'base64').toString(), shown.reason]).toEqual([0, notJson.body, 'not-json']);
  });

  it('replays: what does not fit yet stays, what fits is recorded, once', async () => {
    const first = await intact(['quarantine', 'replay', idOf(notJson.body), idOf(writtenTwice), '--json']);
    expect([first.code, JSON.parse(first.stdout)]).toEqual([1, [{ id: idOf(notJson.body), outcome: 'still-bad' }, expect.objectContaining({ id: idOf(writtenTwice), outcome: 'replayed', recorded: 1, quarantined: 0 })]]);
    const again = await intact(['quarantine', 'replay', idOf(writtenTwice), '--json']);
    expect([again.code, JSON.parse(again.stdout)]).toEqual([0, [{ id: idOf(writtenTwice), outcome: 'done-before' }]]);
    const kept = (await byDelivery()).get(deliveryIdOf(writtenTwice)) ?? [];
    expect(kept.filter(({ raw, kind }) => kind?.S === 'message' && Buffer.from(raw?.B ?? []).toString() === replayable)).toHaveLength(1);
  });
});
