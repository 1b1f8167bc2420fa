/** A vault with real records in it, on disk, and the keys that open it: what receive, seal and publish make of `n` text messages of `n / 20` people. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalImage } from '../src/core/canonical-image';
import { stringOf, type Image } from '../src/core/image';
import { withMac } from '../src/core/record-mac';
import { makeWorld, subjectNamed, type World } from '../test/world';

const ROUND = 1_000;
const PER_PERSON = 20;
/** `raw` and `contact` as Meta's own example of a text has them. */
const BODY = (i: number): string => `{"from":"1555${String(i % 9_000_000).padStart(7, '0')}","id":"wamid.HBgLMTU1NTAwMDAwMDEVAgASGBQ${i}","timestamp":"${1_749_416_383 + i}","text":{"body":"Does it come in another colour? ${createHash('sha256').update(String(i)).digest('hex').slice(0, 24)}"},"type":"text"}`;

/** What a restore needs besides the vault, as hex. */
export interface FixtureKeys {
  readonly kek: string;
  readonly mac: string;
  /** Subject → wrapped key. */
  readonly subjects: Readonly<Record<string, string>>;
}

/** A world in which `n` messages were recorded, sealed and published. */
export async function recordsWorld(n: number): Promise<World> {
  const world = await makeWorld({ seed: 1 });
  for (let from = 0; from < n; from += ROUND) {
    const images = Array.from({ length: Math.min(ROUND, n - from) }, (_, i) => message(from + i));
    await world.write(...images.map((image) => withMac(world.macKey, image)));
    await world.seal(world.stream.slice(from, from + ROUND));
    if (from % (10 * ROUND) === 0) await world.publish();
  }
  await world.publish();
  return world;
}

/** Writes such a vault to `directory`, its keys to `keysFile`; gives every record's canonical image to `each`. */
export async function writeRecordsVault(directory: string, keysFile: string, n: number, each: (image: Buffer, i: number) => void): Promise<void> {
  const world = await recordsWorld(n);
  for (const [name, bytes] of world.vault.objects) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
  const subjects = [...world.keys.subjects].flatMap(([subject, row]) => (typeof row === 'string' ? [] : [[subject, row.wrapped.toString('hex')]]));
  writeFileSync(keysFile, JSON.stringify({ kek: world.kek.toString('hex'), mac: world.macKey.secret.toString('hex'), subjects: Object.fromEntries(subjects) as Record<string, string> } satisfies FixtureKeys));
  let i = 0;
  for await (const image of world.records.scan()) if (stringOf(image, 'kind') === 'message') each(canonicalImage(image), i++);
}

const message = (i: number): Image => ({
  pk: { S: `m#${createHash('sha256').update(`message ${i}`).digest('base64url')}` },
  sk: { S: '106540352242922#message' },
  kind: { S: 'message' },
  rev: { N: '1' },
  subject: { S: subjectNamed(`person ${Math.floor(i / PER_PERSON)}`) },
  customerId: { S: `01JXAMPLE${String(Math.floor(i / PER_PERSON)).padStart(17, '0')}` },
  phoneNumberId: { S: '106540352242922' },
  receivedAt: { S: new Date(1_770_000_000_000 + i * 1_000).toISOString() },
  deliveryId: { S: createHash('sha256').update(`delivery ${i}`).digest('base64url').slice(0, 22) },
  attempt: { S: 'AAAAAAAAAAAA' },
  digest: { B: createHash('sha256').update(BODY(i)).digest() },
  raw: { B: Buffer.from(BODY(i)) },
  text: { S: 'Does it come in another colour?' },
  timestamp: { S: String(1_749_416_383 + i) },
});
