/**
 * The log as its readers get it: entries up to the published checkpoint, read from the bundles of the vault and cut apart here, with nothing of the
 * code that wrote them. Also the one moment many tests need: everything that happened until now is sealed and published.
 */
import { ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { aws, outputs } from './cloud';
import { messages, newPerson, newPhoneNumberId, text } from './deliveries';
import { post } from './post';
import { scan, type Item } from './tables';
import { waitFor } from './wait-for';

/** An entry's members, as docs/format.md lists them. */
export interface SealedEntry {
  readonly op: 'put' | 'remove';
  readonly kind: string;
  readonly id: string;
  readonly rev: number;
  readonly subject: string;
  readonly src: string;
  readonly commit?: string;
  readonly image?: string;
  readonly blob?: string;
  readonly objects?: readonly { readonly name: string; readonly sha256: string }[];
}

const bundleWidth = 256;
const fullBundles = new Map<number, readonly SealedEntry[]>();

/** An object of the vault, or undefined where there is none. */
export async function vaultObject(Key: string): Promise<Buffer | undefined> {
  try {
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: outputs.VaultBucketName, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw error;
  }
}

/** Size and root (base64) the published checkpoint states. */
export async function checkpoint(): Promise<{ readonly size: number; readonly root: string }> {
  const [, size, root] = (await vaultObject('checkpoint'))?.toString().split('\n') ?? [];
  if (size === undefined || root === undefined) throw new Error('the vault has no checkpoint');
  return { size: Number(size), root };
}

/** Every entry the published checkpoint covers, in order. */
export async function publishedEntries(): Promise<readonly SealedEntry[]> {
  const { size } = await checkpoint();
  const bundles = Array.from({ length: Math.ceil(size / bundleWidth) }, (_, n) => bundle(n, Math.min(bundleWidth, size - n * bundleWidth)));
  return (await Promise.all(bundles)).flat();
}

/** The published entries of one subject; waits until there are `atLeast` of them. */
export function entriesOf(subject: string, atLeast = 1): Promise<readonly SealedEntry[]> {
  return waitFor(`${atLeast} entries of ${subject} to be published`, async () => {
    const found = (await publishedEntries()).filter((entry) => entry.subject === subject);
    return found.length >= atLeast && found;
  }, { withinMs: 60_000, everyMs: 300 });
}

async function bundle(n: number, width: number): Promise<readonly SealedEntry[]> {
  const known = fullBundles.get(n);
  if (known !== undefined) return known.slice(0, width);
  const name = `tile/entries/${n < 1000 ? '' : `x${String(Math.floor(n / 1000)).padStart(3, '0')}/`}${String(n % 1000).padStart(3, '0')}`;
  const partial = width === bundleWidth ? undefined : await vaultObject(`${name}.p/${width}`);
  // A partial that is gone has been replaced by the full one since the checkpoint was read.
  const bytes = partial ?? (await vaultObject(name));
  if (bytes === undefined) throw new Error(`the checkpoint covers ${name}, which is not there`);
  const entries: SealedEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    entries.push(JSON.parse(bytes.subarray(at + 2, end).toString()) as SealedEntry);
    at = end;
  }
  if (entries.length === bundleWidth) fullBundles.set(n, entries);
  return entries.slice(0, width);
}

/**
 * Resolves when everything that happened before the call is sealed and published. The stream is one ordered line: a message sent now comes through behind
 * all that was there. Resolves that message's record.
 */
export async function allSealed(): Promise<Item> {
  const phoneNumberId = newPhoneNumberId();
  const { status } = await post(messages(phoneNumberId, text({ from: newPerson(), body: 'behind all the others' })));
  if (status !== 200) throw new Error(`the webhook answered ${status}`);
  const [record] = await recordsUnder(phoneNumberId);
  if (record === undefined) throw new Error('the message was answered 200 and is not in the table');
  await entriesOf(record['subject']?.S ?? '');
  return record;
}

/** As `allSealed`, and in the views too. */
export async function allSettled(): Promise<void> {
  const { customerId, phoneNumberId } = await allSealed();
  await waitFor('the views to follow', async () => (await scan(outputs.ViewsTableName)).some(({ pk, sk }) => pk?.S === `c#${customerId?.S}` && sk?.S === phoneNumberId?.S), { withinMs: 60_000 });
}

/** Every record under one business number. */
export const recordsUnder = (phoneNumberId: string): Promise<readonly Item[]> => recordsWith('phoneNumberId', phoneNumberId);

/** Every record whose attribute `name` is this string; a scan of the whole table. */
export async function recordsWith(name: string, value: string): Promise<readonly Item[]> {
  const found: Item[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await aws.dynamodb.send(new ScanCommand({
      TableName: outputs.RecordsTableName, ConsistentRead: true, ExclusiveStartKey,
      FilterExpression: '#name = :value', ExpressionAttributeNames: { '#name': name }, ExpressionAttributeValues: { ':value': { S: value } },
    }));
    found.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return found;
}
