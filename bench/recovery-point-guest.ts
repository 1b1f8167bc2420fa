/**
 * The measuring half of recovery-point.ts: sends, watches the two buckets as they fill, and tells the two times apart. What a bucket could have restored at a moment is a matter of what lay
 * in it: in the vault the entries its checkpoint covers, in the replica those that segments lead to up to a signed size. At the end both are replayed, and every message sent must come out.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readOutputs } from '../local/outputs';
import { postDelivery } from '../local/webhook';
import { dynamoDbClient } from '../src/adapters/aws/dynamodb';
import { keyTable } from '../src/adapters/aws/key-table';
import { kmsClient, kmsKeyService } from '../src/adapters/aws/kms';
import { s3Client } from '../src/adapters/aws/s3';
import { s3VaultReader } from '../src/adapters/aws/s3-vault-reader';
import { stringOf } from '../src/core/image';
import { entryStarts } from '../src/core/log/bundle';
import { parseOwnCheckpoint } from '../src/core/log/checkpoint';
import { signatureOf } from '../src/core/meta/signature';
import { classifyName } from '../src/core/verify/vault-name';
import { factsVault } from '../src/operations/facts-vault';
import { loadSecrets } from '../src/operations/load-secrets';
import { publishedCheckpoint, type PublishedLog } from '../src/operations/published-entries';
import { replayLog } from '../src/operations/replay-log';
import { subjectKeys } from '../src/operations/subject-keys';

const [, , file = '', rateText = '5', secondsText = '60'] = process.argv;
const [rate, seconds] = [Number(rateText), Number(secondsText)];
/** Half of this is what the figures may be too large by, on average. */
const POLL_MS = 50;
const MOST_ATTEMPTS = 10;
const WARM_UP_SECONDS = 10;
/** After the last answer; then what is missing counts as never restorable. */
const PATIENCE_MS = 60_000;

const outputs = readOutputs(file);
if (outputs === undefined || !(rate > 0) || !(seconds > 0)) throw new Error('recovery-point-guest.ts <outputs file> <messages a second> <seconds>');
const vault = s3VaultReader(s3Client(), outputs.VaultBucketName);
const replica = s3VaultReader(s3Client({ region: outputs.ReplicaRegion }), outputs.ReplicaBucketName);
const phoneNumberId = `9${Date.now()}0`;

/** When a bucket could first have restored so many entries, ascending in both. */
interface Reached {
  readonly at: number;
  readonly size: number;
}
const [inVault, inReplica]: [Reached[], Reached[]] = [[], []];
const note = (list: Reached[], size: number): void => {
  if (size > (list.at(-1)?.size ?? -1)) list.push({ at: performance.now(), size });
};

async function watchVault(): Promise<void> {
  const bytes = await vault.get('checkpoint');
  if (bytes !== 'absent') note(inVault, parseOwnCheckpoint(bytes).checkpoint.size);
}

/** Where each segment in the replica begins and ends; read once. */
const segments = new Map<string, { readonly from: number; readonly to: number }>();
async function watchReplica(): Promise<void> {
  const signed: number[] = [];
  for await (const name of replica.list!('checkpoints/')) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy') signed.push(known.size);
  }
  for await (const name of replica.list!('segment/')) {
    const known = classifyName(name);
    if (known.kind !== 'segment' || segments.has(name)) continue;
    const bytes = await replica.get(name);
    if (bytes !== 'absent') segments.set(name, { from: known.from, to: known.from + entryStarts(bytes).length - 1 });
  }
  // Of segments that begin at one place the longest way is taken: too early by a lost race at most, which one sealer has none of. The replay at the end is exact.
  const ends = new Map<number, number>();
  for (const { from, to } of segments.values()) ends.set(from, Math.max(to, ends.get(from) ?? 0));
  const starts = new Set<number>([0]);
  for (let at = 0; ends.has(at); ) starts.add((at = ends.get(at)!));
  note(inReplica, Math.max(0, ...signed.filter((size) => starts.has(size))));
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
async function watching(look: () => Promise<void>, until: () => boolean): Promise<void> {
  while (!until()) {
    const begun = performance.now();
    await look();
    await delay(POLL_MS - (performance.now() - begun));
  }
}

async function appSecret(): Promise<string> {
  const { SecretString = '{}' } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: outputs!.AppSecretArn }));
  return (JSON.parse(SecretString) as { appSecrets: readonly [string] }).appSecrets[0];
}

const body = (id: string, n: number): Buffer =>
  Buffer.from(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"${phoneNumberId}"},"messages":[{"from":"1555${String(n % 50).padStart(9, '0')}","id":"${id}","timestamp":"1790000000","type":"text","text":{"body":"message ${n}"}}]},"field":"messages"}]}]}`);

/** Message id → when it was answered 200. */
async function send(secret: string, count: number): Promise<ReadonlyMap<string, number>> {
  const answered = new Map<string, number>();
  const begun = performance.now();
  await Promise.all(Array.from({ length: count }, async (_, n) => {
    // At its own moment, whatever became of the others: a slow answer must not slow the next message down.
    await delay((n * 1000) / rate - (performance.now() - begun));
    const id = `wamid.${randomUUID()}`;
    const bytes = body(id, n);
    // What was not answered 200 Meta sends again; it counts from when it was.
    for (let attempt = 1; ; attempt++) {
      const status = await postDelivery(outputs!.WebhookUrl, bytes, signatureOf(bytes, secret)).then((answer) => answer.status, () => 0);
      if (status === 200) break;
      if (attempt === MOST_ATTEMPTS) throw new Error(`message ${n} was answered ${status} ${attempt} times`);
      await delay(200 * attempt);
    }
    answered.set(id, performance.now());
  }));
  return answered;
}

/** Message id → index of its entry, out of this vault alone and the keys. */
async function replayed(source: PublishedLog): Promise<ReadonlyMap<string, number>> {
  const [keys, region] = [keyTable(dynamoDbClient(), outputs!.KeysTableName), outputs!.region];
  const arn = (outputs as unknown as { readonly WrappingKeyArn: string }).WrappingKeyArn;
  const secrets = loadSecrets({ keys, keyService: kmsKeyService(kmsClient(), arn, region) });
  const found = new Map<string, number>();
  const reading = { vault: source, subjectKeys: subjectKeys({ keys, kek: secrets.kek, now: () => new Date(), random: randomBytes }), macKeys: await secrets.macKeys() };
  await replayLog(reading, { checkpoint: await publishedCheckpoint(source) }, async ({ image, index }) => {
    const id = stringOf(image, 'messageId');
    if (id !== undefined && stringOf(image, 'phoneNumberId') === phoneNumberId) found.set(id, index);
  });
  return found;
}

async function main(): Promise<number> {
  const secret = await appSecret();
  // The first messages after a deployment wait for five functions to start; that is said of cold starts, not of the recovery point.
  const first = await send(secret, Math.round(rate * WARM_UP_SECONDS));
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until && (await replayed(vault)).size < first.size; ) await delay(1_000);
  /** When the last answer came, and how long the log has to be to hold all of it. */
  const sent = { at: Number.POSITIVE_INFINITY, size: Number.POSITIVE_INFINITY };
  const isOver = (list: readonly Reached[]) => (): boolean => performance.now() > sent.at + PATIENCE_MS || (list.at(-1)?.size ?? 0) >= sent.size;
  const watchers = [watching(watchVault, isOver(inVault)), watching(watchReplica, isOver(inReplica))];
  const answered = await send(secret, Math.round(rate * seconds));
  sent.at = performance.now();
  // Everything is in the log once all messages are; until then nobody knows how long it is.
  let indexes = new Map<string, number>() as ReadonlyMap<string, number>;
  while (![...answered.keys()].every((id) => indexes.has(id)) && performance.now() < sent.at + PATIENCE_MS) {
    await delay(1_000);
    indexes = await replayed(vault);
  }
  sent.size = Math.max(-1, ...[...answered.keys()].map((id) => indexes.get(id) ?? -1)) + 1;
  await Promise.all(watchers);
  const fromReplica = await replayed(await factsVault(replica));
  console.log(`${answered.size} messages answered 200, ${rate} a second for ${seconds} s; looked every ${POLL_MS} ms`);
  const isWhole = [
    told('vault', answered, indexes, inVault),
    told('replica', answered, fromReplica, inReplica),
  ];
  return isWhole.every(Boolean) ? 0 : 1;
}

/** Prints one line; whether every message came out. */
function told(where: string, answered: ReadonlyMap<string, number>, indexes: ReadonlyMap<string, number>, reached: readonly Reached[]): boolean {
  const waits = [...answered].flatMap(([id, at]) => {
    const index = indexes.get(id);
    const first = index === undefined ? undefined : reached.find(({ size }) => size > index);
    return first === undefined ? [] : [Math.max(0, first.at - at) / 1000];
  }).sort((a, b) => a - b);
  const quantile = (q: number): string => (waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] ?? Number.NaN).toFixed(2);
  console.log(`restorable from the ${where.padEnd(8)} p50 ${quantile(0.5)} s   p99 ${quantile(0.99)} s   max ${quantile(1)} s   ${waits.length} of ${answered.size}`);
  return waits.length === answered.size;
}

main().then((code) => process.exit(code), (error: unknown) => {
  console.error(error);
  process.exit(2);
});
