/**
 * Makes the proof of one message: finds the entry under which its record was first sealed, opens it with the subject's key, and joins it with its path to
 * the newest checkpoint. The result was checked by the same code that will check it elsewhere; no key leaves this function.
 */
import { canonicalImage, ImageError } from '../core/canonical-image';
import { CanonicalJsonError } from '../core/canonical-json';
import { splitPlaintext } from '../core/commitment';
import { checkDisclosure, formatDisclosure, type DisclosureFinding } from '../core/disclosure';
import { entryIn, type PutEntry } from '../core/entry';
import { keyOf, stringOf, type Image } from '../core/image';
import { decryptJwe, JweError } from '../core/jwe';
import { decodeEntries, TILE_WIDTH } from '../core/log/bundle';
import { parseOwnCheckpoint } from '../core/log/checkpoint';
import { LogFormatError } from '../core/log/log-format-error';
import { inclusionProof } from '../core/log/merkle';
import { sha256Hex } from '../core/log/sha256';
import { tilePath, type TileName } from '../core/log/tile-path';
import { subtreesOfTiles, tilesOfProof } from '../core/log/tiles';
import { formatTlogProof } from '../core/log/tlog-proof';
import { checkMac } from '../core/record-mac';
import { recordId, unwrapSubjectKey, type SubjectKey } from '../core/subject-key';
import { recordKeys } from '../core/table-keys';
import { blobName } from '../core/verify/vault-name';
import { hashed } from '../core/dedupe-key';
import type { KeyService, KeyTable, LogStore, RecordStore, Round, Vault } from '../ports';
import { loadSecrets, type Secrets } from './load-secrets';

export interface ProofPorts {
  readonly records: Pick<RecordStore, 'partition'>;
  readonly log: Pick<LogStore, 'rounds' | 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly keys: Pick<KeyTable, 'get' | 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
}

export interface MessageProof {
  /** Text of the proof file. */
  readonly file: string;
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** `record-changed`: the table holds something else now than what was sealed first. `mac-invalid`: the record in the table is not as this program wrote it. */
  readonly doubts: readonly ('record-changed' | 'mac-invalid')[];
  /** Bytes of a body too long for the record: the proof holds their hash, not them. */
  readonly bodyOutside?: { readonly sha256: string };
}

/**
 * `absent`: no such message. `ambiguous`: several of our numbers have one. `not-sealed`: no entry yet. `not-published`: sealed, but no checkpoint covers it yet.
 * `erased`: its subject's key is gone, nobody can open it. `damaged`: log or record do not fit each other.
 */
export type ProofRefusal =
  | { readonly refused: 'absent' | 'not-sealed' | 'not-published' | 'erased' }
  | { readonly refused: 'ambiguous'; readonly phoneNumberIds: readonly string[] }
  | { readonly refused: 'damaged'; readonly detail: string; readonly findings?: readonly DisclosureFinding[] };

/** By the id that Meta gave it, or by what names its records (that id under the dedupe key). */
export type WantedMessage = ({ readonly messageId: string } | { readonly hashedId: string }) & {
  /** Where several business numbers have it. */
  readonly phoneNumberId?: string;
  /** What Meta said was written, or what the system that sent it recorded; without it the former if there is one. */
  readonly place?: 'message' | 'outbound';
};

/** What the clocks of the receiver and the sealer may differ by; rounds before it are not searched. */
const CLOCK_SKEW_MS = 5 * 60_000;

export async function proveMessage(ports: ProofPorts, wanted: WantedMessage, onRound: (round: Round) => void = () => undefined): Promise<MessageProof | ProofRefusal> {
  const secrets = loadSecrets(ports);
  const record = await recordOf(ports, secrets, wanted);
  if ('refused' in record) return record;
  const row = await ports.keys.get(stringOf(record.image, 'subject') ?? '');
  if (row === 'erased') return { refused: 'erased' };
  if (row === 'absent') return { refused: 'not-sealed' }; // the sealer makes a subject's key with its first entry; a reader makes none
  const key = row === 'corrupt' ? row : unwrapSubjectKey(await secrets.kek(), row);
  if (key === 'corrupt') return { refused: 'damaged', detail: "the subject's row in the keys table does not open" };
  const sealed = await firstEntry(ports, record, key, onRound);
  if (sealed === undefined) return { refused: 'not-sealed' };
  if ('refused' in sealed) return sealed;
  return disclose(ports, record, key, sealed);
}

interface Found {
  readonly image: Image;
  readonly macIsValid: boolean;
}

async function recordOf({ records }: ProofPorts, secrets: Secrets, wanted: WantedMessage): Promise<Found | ProofRefusal> {
  const { phoneNumberId, place } = wanted;
  const { pk } = recordKeys.message('hashedId' in wanted ? wanted.hashedId : hashed(await secrets.dedupeKey(), 'wamid', [wanted.messageId]), '');
  const byNumber = new Map<string, Image>();
  // Statuses, variants and conflicts of the same id share the partition; the message itself is `<phone number id>#message`, or, where Meta told us only statuses of it, `…#outbound`, which sorts behind.
  for await (const image of records.partition(pk, phoneNumberId === undefined ? undefined : `${phoneNumberId}#`)) {
    const [, number] = /^([^#]*)#(?:message|outbound)$/.exec(keyOf(image).sk) ?? [];
    if (number !== undefined && !byNumber.has(number) && (place === undefined || keyOf(image).sk === `${number}#${place}`)) byNumber.set(number, image);
  }
  const [image, ...others] = byNumber.values();
  if (image === undefined) return { refused: 'absent' };
  if (others.length > 0) return { refused: 'ambiguous', phoneNumberIds: [...byNumber.keys()] };
  return { image, macIsValid: checkMac(await secrets.macKeys(), image) === 'valid' };
}

interface Sealed {
  readonly index: number;
  readonly bytes: Buffer;
  readonly entry: PutEntry;
}

async function firstEntry({ log, vault }: ProofPorts, { image, macIsValid }: Found, key: SubjectKey, onRound: (round: Round) => void): Promise<Sealed | ProofRefusal | undefined> {
  const id = recordId(key, keyOf(image));
  const needle = Buffer.from(`"${id}"`);
  const receivedAt = Date.parse(stringOf(image, 'receivedAt') ?? '');
  // Whoever changed the record may have changed its time too; only a valid MAC says where the search may begin.
  const rounds = macIsValid && !Number.isNaN(receivedAt) ? log.roundsByTime(new Date(receivedAt - CLOCK_SKEW_MS).toISOString()) : log.rounds(0);
  for await (const round of rounds) {
    onRound(round);
    const segment = await vault.get(round.segment);
    if (segment === 'absent' || !round.segment.endsWith(`/${sha256Hex(segment)}`)) {
      return { refused: 'damaged', detail: `${round.segment} is ${segment === 'absent' ? 'not there' : 'not what its name says'}` };
    }
    if (!segment.includes(needle)) continue;
    const entries = decodeEntries(segment);
    for (const [i, bytes] of entries.entries()) {
      if (!bytes.includes(needle)) continue;
      const entry = entryIn(bytes);
      if (entry?.op === 'put' && entry.id === id && entry.subject === key.subject) return { index: round.from + i, bytes, entry };
    }
  }
  return undefined;
}

async function disclose(ports: ProofPorts, { image, macIsValid }: Found, key: SubjectKey, { index, bytes, entry }: Sealed): Promise<MessageProof | ProofRefusal> {
  const { vault } = ports;
  const [vkeys, checkpoint] = [await vault.get('log.vkeys'), await vault.get('checkpoint')];
  if (checkpoint === 'absent' || vkeys === 'absent') return { refused: 'not-published' };
  try {
    const { size, origin } = parseOwnCheckpoint(checkpoint).checkpoint;
    if (index >= size) return { refused: 'not-published' };
    const path = await pathTo(vault, index, size);
    if (!Array.isArray(path)) return path;
    const plaintext = await opened(vault, entry, key);
    if (!Buffer.isBuffer(plaintext)) return plaintext;
    const file = formatDisclosure({ entry: bytes, proof: formatTlogProof({ index, path, checkpoint }), plaintext, vkeys });
    // Whoever gets the file would notice; better that we do.
    const { findings } = checkDisclosure(Buffer.from(file));
    if (findings.length > 0) return { refused: 'damaged', detail: findings.map(({ detail }) => detail).join('; '), findings };
    const isUnchanged = splitPlaintext(plaintext)?.content.equals(canonicalImage(image)) === true;
    const body = image['contentSha256'];
    return {
      file,
      origin,
      index,
      size,
      doubts: [...(isUnchanged ? [] : (['record-changed'] as const)), ...(macIsValid ? [] : (['mac-invalid'] as const))],
      ...(body !== undefined && 'B' in body && { bodyOutside: { sha256: Buffer.from(body.B).toString('hex') } }),
    };
  } catch (error) {
    if (error instanceof LogFormatError || error instanceof JweError || error instanceof ImageError || error instanceof CanonicalJsonError) return { refused: 'damaged', detail: error.message };
    throw error;
  }
}

async function pathTo(vault: Pick<Vault, 'get'>, index: number, size: number): Promise<Buffer[] | ProofRefusal> {
  const tiles = new Map<string, Buffer>();
  for (const tile of tilesOfProof(size, (tree) => inclusionProof(index, size, tree))) {
    const hashes = await tileOf(vault, tile);
    if (hashes === undefined) return { refused: 'damaged', detail: `${tilePath(tile)} is not there or too short` };
    tiles.set(tilePath(tile), hashes);
  }
  return inclusionProof(index, size, subtreesOfTiles(size, (tile) => tiles.get(tilePath(tile)) ?? Buffer.alloc(0)));
}

/** A partial tile may have been replaced by its full one since the checkpoint was read. */
async function tileOf(vault: Pick<Vault, 'get'>, tile: TileName): Promise<Buffer | undefined> {
  const exact = await vault.get(tilePath(tile));
  const hashes = exact === 'absent' && tile.width < TILE_WIDTH ? await vault.get(tilePath({ ...tile, width: TILE_WIDTH })) : exact;
  return hashes === 'absent' || hashes.length < tile.width * 32 ? undefined : hashes;
}

async function opened(vault: Pick<Vault, 'get'>, entry: PutEntry, key: SubjectKey): Promise<Buffer | ProofRefusal> {
  const keyOfGeneration = (generation: number): Buffer | undefined => (generation === key.generation ? key.key : undefined);
  if (entry.image !== undefined) return decryptJwe(entry.image, keyOfGeneration);
  const name = blobName(entry.blob ?? '');
  const jwe = await vault.get(name);
  if (jwe === 'absent') return { refused: 'damaged', detail: `${name} is not there` };
  return decryptJwe(jwe.toString('latin1'), keyOfGeneration);
}
