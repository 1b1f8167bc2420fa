/**
 * The exercise of docs/runbook.md, typed line by line as it stands there: the records table of the local cloud is destroyed and restored, with 0 differences, and goes on working as if
 * nothing had been; then a message is changed by hand, found and healed. What the page does not look at is looked at in between: every item, every setting, who reads the stream.
 */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { ListEventSourceMappingsCommand, type EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import { exercise } from '../docs/runbook-exercise';
import { aws, outputs } from './harness/cloud';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact, type Ran } from './harness/intact';
import { post } from './harness/post';
import { allSealed, allSettled, entriesOf, recordsUnder } from './harness/published-log';
import { tableSettings } from './harness/table-settings';
import { scan, type Item } from './harness/tables';
import { openShell } from './harness/typing';

const TableName = outputs.RecordsTableName;
const shell = openShell();
const [phoneNumberId, marker, person] = [newPhoneNumberId(), newMarker(), newPerson()];
const earlier = messages(phoneNumberId, ...['first', 'second', 'third'].map((word) => text({ id: newMessageId(), from: person, body: `${marker} ${word}` })));

const nameOf = ({ pk, sk }: Item): string => `${pk?.S} / ${sk?.S}`;
/** The order of members says nothing, at no depth. */
const textOf = (item: Item): string =>
  JSON.stringify(item, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  });
const byName = (items: readonly Item[]): ReadonlyMap<string, string> => new Map(items.map((item) => [nameOf(item), textOf(item)] as const));
/** The test's own records: its messages, and the customer they made with its aliases and links. */
const ofMine = (items: readonly Item[]): readonly Item[] => items.filter((item) => mine.has(nameOf(item)));
const mine = new Set<string>();

/** Mappings of the table's streams, without what each has for itself. */
async function readers(): Promise<readonly { readonly stream: string; readonly reads: string }[]> {
  const { EventSourceMappings = [] } = await aws.lambda.send(new ListEventSourceMappingsCommand({}));
  const settings = ({ UUID: _id, EventSourceMappingArn: _arn, EventSourceArn: _stream, LastModified: _at, LastProcessingResult: _result, StateTransitionReason: _why, ...rest }: EventSourceMappingConfiguration): string => JSON.stringify(Object.entries(rest).sort());
  return EventSourceMappings.filter(({ EventSourceArn }) => EventSourceArn?.includes(`:table/${TableName}/stream/`)).map((mapping) => ({ stream: mapping.EventSourceArn ?? '', reads: settings(mapping) }));
}
const streamNow = async (): Promise<string> => (await aws.dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.LatestStreamArn ?? '';
/** The number a plan gives under `what`. */
function count({ stdout, stderr }: Ran, what: string): number {
  const number = new RegExp(`^ *${what} +([\\d,]+)`, 'm').exec(stdout)?.[1];
  if (number === undefined) throw new Error(`no "${what}" in:\n${stdout}${stderr}`);
  return Number(number.replaceAll(',', ''));
}

let before: { readonly items: readonly Item[]; readonly settings: object; readonly readers: Awaited<ReturnType<typeof readers>> };

beforeAll(async () => {
  expect((await post(earlier)).json).toEqual(answer(earlier, { recorded: 3 }));
  const [message] = await recordsUnder(phoneNumberId);
  await allSettled();
  const items = await scan(TableName);
  const customer = message?.['customerId']?.S ?? '';
  for (const item of items) if (item['phoneNumberId']?.S === phoneNumberId || JSON.stringify(item).includes(customer)) mine.add(nameOf(item));
  // Three messages, their customer, and how it is found.
  expect([customer.length > 8, mine.size]).toEqual([true, expect.any(Number) as number]);
  expect(mine.size).toBeGreaterThan(5);
  before = { items: ofMine(items), settings: await tableSettings(TableName), readers: await readers() };
  expect(before.readers).toHaveLength(2);
}, 120_000);

describe('the exercise of the runbook', () => {
  it('begins with a table that holds a message', async () => {
    expect((await shell.type('eval "$(npx intact env)"')).code).toBe(0);
    expect((await shell.type('npx intact send examples/deliveries/01-text.json')).code).toBe(0);
  });

  it('destroys the table, which is gone with all that is in it', async () => {
    expect(await shell.type('npx intact tamper --local --destroy')).toMatchObject({ code: 0, stdout: expect.stringContaining(`destroyed the table ${TableName}`) as string });
    await expect(aws.dynamodb.send(new DescribeTableCommand({ TableName }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    // Meta is not told that anything was recorded; it sends it again.
    expect((await post(earlier)).status).toBeGreaterThanOrEqual(500);
  }, 120_000);

  it('plans: every record comes back, nothing is lost, its readers will be connected', async () => {
    const plan = await shell.type('npx intact restore --to "$INTACT_RECORDS_TABLE_NAME" --plan');
    expect(plan).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was written') as string });
    expect(plan.stdout).toContain(`${TableName}, the LIVE table: is made`);
    expect(plan.stdout).not.toContain('CANNOT BE RESTORED');
    expect([count(plan, 'to write'), plan.stdout.match(/^ *connect /gm)?.length]).toEqual([count(plan, 'records'), 2]);
    await expect(aws.dynamodb.send(new DescribeTableCommand({ TableName }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  }, 60_000);

  it('restores it once the origin is typed, item by item and setting by setting as it was, and read as it was', async () => {
    const line = 'npx intact restore --to "$INTACT_RECORDS_TABLE_NAME"';
    const origin = (JSON.parse((await intact(['restore', '--to', TableName, '--plan', '--json'])).stdout) as { plan: { origin: string } }).plan.origin;
    const ran = await shell.typeInTerminal(line, "Type the log's origin to go on", origin);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/done in [\d.]+ s: [\d,]+ records? written, 0 removed/) as string });
    expect(byName(ofMine(await scan(TableName)))).toEqual(byName(before.items));
    expect(await tableSettings(TableName)).toEqual(before.settings);
    const [now, stream] = [await readers(), await streamNow()];
    expect(now.filter((each) => each.stream === stream).map(({ reads }) => reads).sort()).toEqual(before.readers.map(({ reads }) => reads).sort());
    // The old ones stay where CloudFormation and the old stream need them.
    expect(now.filter((each) => each.stream !== stream)).toEqual(before.readers);
  }, 300_000);

  it('has nothing left to do: 0 differences, and repeated connects nothing twice', async () => {
    const plan = await shell.type('npx intact restore --to "$INTACT_RECORDS_TABLE_NAME" --plan');
    expect([plan.code, count(plan, 'to write'), /^ *to remove|^ *setting|^ *connect /m.test(plan.stdout)]).toEqual([0, 0, false]);
    expect(await readers()).toHaveLength(4);
    const drill = await shell.type('npx intact drill');
    expect([drill.stdout, drill.stderr]).toEqual([expect.stringContaining('0 differences: the records can be restored') as string, expect.anything() as string]);
    expect(drill.code).toBe(0);
  }, 180_000);

  it('is found as the log says by the audit: nothing missing, nothing doubled', async () => {
    await allSealed();
    const audit = await shell.type('npx intact audit --full');
    for (const name of mine) expect(audit.stdout).not.toContain(name.split(' / ')[0]);
    expect(audit.stdout).not.toMatch(/record-(doubled|missing|modified|out-of-version|unsealed)/);
  }, 300_000);

  it('knows what it recorded before, records what is new, and seals both, with a vault that verifies', async () => {
    expect(await shell.type('npx intact send examples/deliveries/01-text.json')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\b1 duplicate/) as string });
    expect((await post(earlier)).json).toEqual(answer(earlier, { duplicate: 3 }));
    const later = messages(phoneNumberId, text({ id: newMessageId(), from: person, body: `${marker} fourth` }));
    expect((await post(later)).json).toEqual(answer(later, { recorded: 1 }));
    // Of the same customer, under the same subject: the restored records know whom they are about.
    const [customerId] = new Set((await recordsUnder(phoneNumberId)).map((item) => item['customerId']?.S));
    expect((await recordsUnder(phoneNumberId)).map((item) => item['customerId']?.S)).toEqual(Array(4).fill(customerId));
    await entriesOf(before.items.find((item) => item['phoneNumberId']?.S === phoneNumberId)?.['subject']?.S ?? '', mine.size + 1);
    await allSettled();
    expect(byName(ofMine(await scan(TableName)))).toEqual(byName(before.items));
    expect((await shell.type('npx intact verify')).code).toBe(0);
  }, 240_000);

  it('ends with a message that is changed by hand, found and healed', async () => {
    const tampered = await shell.type('npx intact tamper --local');
    expect(tampered).toMatchObject({ code: 0, stdout: expect.stringMatching(/changed its .* straight in the table[\s\S]*FOUND:[\s\S]*HEALED:[\s\S]*the vault verifies clean/) as string });
    const plan = await shell.type('npx intact restore --to "$INTACT_RECORDS_TABLE_NAME" --plan');
    expect([plan.code, count(plan, 'to write')]).toEqual([0, 0]);
  }, 240_000);

  it('is on this page line by line as it was typed here', () => {
    expect(shell.typed).toEqual(exercise);
  });
});
