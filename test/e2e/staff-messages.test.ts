/**
 * Messages through the API of staff, deployed, with IAM enforced: a conversation with everything that happened in it, the very bytes of a message, its proof taken away and checked by somebody who has nothing but
 * the file; what a sending system records, joined with what Meta says became of it; and that nobody sees more than is theirs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asking } from '../../local/staff-request';
import { projectRoot } from '../../local/state-directory';
import type { TimelineItem } from '../../src/core/staff/timeline';
import { outputs } from './harness/cloud';
import { delivery, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSettled, recordsUnder, recordsWith } from './harness/published-log';
import { etag, messageUnder, operatorOf, senderToken, sendingSystem, type Ask, type Operator, type StaffAnswer } from './harness/staff';
import type { Item } from './harness/tables';
import { waitFor } from './harness/wait-for';
import { logLines } from './harness/watching';

const began = new Date();
const directory = mkdtempSync(join(tmpdir(), 'intact-e2e-'));
const [phoneNumberId, from, marker] = [newPhoneNumberId(), newPerson(), newMarker()];
const [first, edited, reacted, sent] = [newMessageId(), newMessageId(), newMessageId(), newMessageId()];
const message = text({ id: first, from, body: `Grüße 👋 ${marker}`, timestamp: '1790000000' });
const payload = `{ "messaging_product":"whatsapp", "to":"${from}", "type":"text", "text":{"body":"on its way ${marker}"} }`;
const act = (id: string, type: string, body: string, timestamp: string): string => `{"from":"${from}","id":"${id}","timestamp":"${timestamp}","type":"${type}","${type}":${body}}`;

let support: Operator;
let sales: Operator;
let auditor: Operator;
let system: Ask;
let record: Item;
let outboundRecord: Item;
let customerId: string;
/** A customer of somebody else's. */
let other: string;
const said = async (ask: Ask = support.ask, of = customerId): Promise<StaffAnswer> => ask(`GET /v1/customers/${of}/messages?limit=100`);
const items = async (): Promise<readonly TimelineItem[]> => (await said()).json['items'] as TimelineItem[];
const idOf = (item: Item): string => (item['pk']?.S ?? '').slice(2);

beforeAll(async () => {
  [support, sales, auditor, system] = [await operatorOf('support'), await operatorOf('sales'), await operatorOf('auditor'), await sendingSystem()];
  expect((await post(messages(phoneNumberId, message))).status).toBe(200);
  await post(messages(phoneNumberId, act(edited, 'edit', `{"original_message_id":"${first}","message":{"type":"text","text":{"body":"Grüße, ${marker}"}}}`, '1790000010'), act(reacted, 'reaction', `{"message_id":"${first}","emoji":"👍"}`, '1790000020')));
  const elsewhere = newPhoneNumberId();
  await post(messages(elsewhere, text({ from: newPerson(), body: 'of somebody else' })));
  record = await messageUnder(phoneNumberId);
  customerId = record['customerId']?.S ?? '';
  other = (await messageUnder(elsewhere))['customerId']?.S ?? '';
}, 90_000);
afterAll(() => rmSync(directory, { recursive: true }));

describe('what a sending system records', () => {
  const outbound = (body: string, more: object = {}): string => `{"phoneNumberId":"${phoneNumberId}","messageId":"${sent}","to":"${from}","sentAt":"2026-09-21T14:00:00Z","payload":${body}${Object.entries(more).map(([name, value]) => `,"${name}":${JSON.stringify(value)}`).join('')}}`;

  it('is recorded once, and told apart from another content under its id', async () => {
    const [made, again] = [await system('POST /v1/outbound', { body: outbound(payload) }), await system('POST /v1/outbound', { body: outbound(payload) })];
    expect([made.status, made.json, again.status, again.json]).toEqual([200, { outcome: 'recorded' }, 200, { outcome: 'duplicate' }]);
    expect((await system('POST /v1/outbound', { body: outbound('{"type":"text","text":{"body":"other"}}') })).status).toBe(409);
    const stored = (await recordsUnder(phoneNumberId)).filter(({ kind }) => kind?.S === 'outbound');
    outboundRecord = stored[0]!;
    expect(stored.map(({ customerId: of, raw, operatorRole }) => [of?.S, Buffer.from(raw?.B ?? []).toString(), operatorRole?.S])).toEqual([[customerId, payload, 'system']]);
  }, 60_000);

  it('is refused as a whole where anything is wrong with it, and to everybody who may not', async () => {
    const wrong = await system('POST /v1/outbound', { body: outbound('[]', { other: 1 }) });
    expect([wrong.status, (wrong.json['errors'] as { field: string }[]).map(({ field }) => field).sort()]).toEqual([400, ['/other', '/payload']]);
    for (const ask of [sales.ask, auditor.ask]) expect((await ask('POST /v1/outbound', { body: outbound(payload) })).status).toBe(403);
  }, 30_000);

  it('is all that its token is good for', async () => {
    for (const route of ['GET /v1/me', 'GET /v1/customers', `GET /v1/customers/${customerId}/messages`, 'GET /v1/access']) expect([route, (await system(route)).status]).toEqual([route, 403]);
    // Nor can it have another scope, or get in without its own secret.
    expect((await senderToken('aws.cognito.signin.user.admin')).status).toBe(400);
    expect((await asking(outputs.ApiUrl, 'e30.e30.e30')('POST /v1/outbound', { body: outbound(payload) })).status).toBe(401);
  }, 30_000);
});

describe('a conversation', () => {
  it('shows each message once, with its edits, reactions and statuses', async () => {
    await post(delivery(phoneNumberId, `"statuses":[{"id":"${sent}","status":"delivered","timestamp":"1790000100","recipient_id":"${from}"},{"id":"${sent}","status":"read","timestamp":"1790000200","recipient_id":"${from}"}]`));
    await allSettled();
    await waitFor('the index to have all of it', async () => (await items()).some(({ statuses }) => statuses.length === 2), { withinMs: 30_000, everyMs: 300 });
    const all = await items();
    expect(all.map(({ messageId, kind, direction }) => [messageId, kind, direction]).sort()).toEqual([[first, 'message', 'inbound'], [sent, 'outbound', 'outbound']].sort());
    const [inbound, outbound] = [all.find(({ messageId }) => messageId === first)!, all.find(({ messageId }) => messageId === sent)!];
    expect(inbound).toMatchObject({ id: idOf(record), customerId, text: `Grüße 👋 ${marker}`, edits: [{ messageId: edited, by: 'customer' }], reactions: [{ messageId: reacted, text: '👍' }], state: { edited: { text: `Grüße, ${marker}` }, reactions: [{ emoji: '👍' }] } });
    expect(outbound).toMatchObject({ text: `on its way ${marker}`, statuses: [{ status: 'delivered' }, { status: 'read' }], state: { status: { status: 'read' } }, evidence: [{ kind: 'conflict' }] });
  }, 90_000);

  it('gives the very bytes of a message, and no other customer’s under this one', async () => {
    const one = await support.ask(`GET /v1/customers/${customerId}/messages/${idOf(record)}`);
    expect(one.status).toBe(200);
    expect((one.json['messages'] as { raw: string }[]).map(({ raw }) => Buffer.from(raw, 'base64').toString())).toEqual([message]);
    for (const path of [`${other}/messages/${idOf(record)}`, `${customerId}/messages/${'A'.repeat(43)}`, `${customerId}/messages/${encodeURIComponent(first.replaceAll('/', '_'))}`]) expect([path, (await support.ask(`GET /v1/customers/${path}`)).status]).toEqual([path, 404]);
  }, 30_000);

  it('is seen by sales where the customer is theirs, and only there', async () => {
    expect((await said(sales.ask)).status).toBe(404);
    const admin = await operatorOf('admin');
    const { rev } = (await support.ask(`GET /v1/customers/${customerId}`)).json as { rev: number };
    expect((await admin.ask(`PUT /v1/customers/${customerId}/owner`, { body: { ownerId: sales.id }, headers: etag(rev) })).status).toBe(200);
    expect([(await said(sales.ask)).status, (await said(sales.ask, other)).status, (await sales.ask(`GET /v1/customers/${customerId}/messages/${idOf(record)}/proof`)).status]).toEqual([200, 404, 404]);
  }, 30_000);
});

describe('a proof', () => {
  it('is checked by somebody who has nothing but the file, and holds against no altered one', async () => {
    const proven = await waitFor('the message to be published', async () => {
      const answer = await support.ask(`GET /v1/customers/${customerId}/messages/${idOf(record)}/proof`);
      return answer.status === 200 && answer;
    }, { withinMs: 60_000, everyMs: 500 });
    expect(proven.json).toMatchObject({ doubts: [], file: expect.stringContaining(marker) as string });
    const [file, altered] = [join(directory, 'proof.json'), join(directory, 'altered.json')];
    writeFileSync(file, String(proven.json['file']));
    writeFileSync(altered, String(proven.json['file']).replace(marker, newMarker()));
    // No environment, no cloud, no key but the one the verifier was given.
    const vkey = (await intact(['key'])).stdout.trim();
    const verify = (path: string) => spawnSync(process.execPath, [join(projectRoot, 'bin', 'intact.cjs'), 'proof', 'verify', path, '--vkey', vkey], { cwd: directory, env: { PATH: process.env['PATH'] }, encoding: 'utf8' });
    expect([verify(file).status, verify(altered).status]).toEqual([0, 1]);
    expect(verify(file).stdout).toContain(marker);
  }, 120_000);
});

describe('afterwards', () => {
  it('the access log names who saw what by hashes, and no log has a message id, a number or a word of it', async () => {
    const lines = (await recordsWith('customerId', customerId)).filter(({ kind }) => kind?.S === 'access');
    const of = (action: string): readonly Item[] => lines.filter((each) => each['action']?.S === action && each['decision']?.S === 'allow');
    expect(of('ReadConversation').length).toBeGreaterThan(2);
    expect(of('ProveMessage').map(({ resourceId, operatorId }) => [resourceId?.S, operatorId?.S])).toContainEqual([idOf(record), support.id]);
    const bySystem = (await recordsWith('operatorId', outputs.SenderClientId)).filter(({ kind, resourceId }) => kind?.S === 'access' && resourceId?.S === idOf(outboundRecord));
    // Recorded, known, kept beside it as evidence. A request that was wrong in itself asked for nothing.
    expect(bySystem.map(({ action, operatorRole, outcome }) => [action?.S, operatorRole?.S, outcome?.S]).sort()).toEqual(['conflict', 'done', 'done'].map((outcome) => ['RecordOutbound', 'system', outcome]));
    for (const secret of [first, sent, from, marker]) expect(JSON.stringify(lines)).not.toContain(secret);
    const logged = (await logLines(began)).map((line) => line.text).join('\n');
    for (const secret of [first, sent, from, marker]) expect(logged.includes(secret)).toBe(false);
  }, 60_000);
});
