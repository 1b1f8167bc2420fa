/**
 * The head of the log as the log table holds it, and the MAC that makes it ours: whoever can write the table but cannot use the KMS cannot make
 * a head that sealers would extend or the publisher sign.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { EMPTY_EDGE, EMPTY_ROOT, edgeLength, rootOfEdge, type RightEdge } from './log/merkle';
import { derivedKey, type KeyEncryptionKey } from './subject-key';

/** The shape is `Head` of the ports. */
export interface SignedHead extends RightEdge {
  readonly root: Buffer;
  readonly mac: Buffer;
}

const DOMAIN = 'intact/head/v1\n';

/** The key that heads are MACed with: HKDF of the key-encryption key. */
export const headKey = (kek: KeyEncryptionKey): Buffer => derivedKey(kek.key, 'head');

/** The head of the tree with this right edge. */
export function headOf(key: Buffer, { size, edge }: RightEdge): SignedHead {
  const root = size === 0 ? EMPTY_ROOT : rootOfEdge(edge);
  return { size, root, edge, mac: macOf(key, { size, root, edge }) };
}

export const emptyHead = (key: Buffer): SignedHead => headOf(key, EMPTY_EDGE);

/** Whether we wrote this head: its MAC is ours, and root and edge belong together. */
export function isOurHead(key: Buffer, head: SignedHead): boolean {
  const isWellFormed = Number.isSafeInteger(head.size) && head.size >= 0 && head.edge.length === edgeLength(head.size) && [head.root, ...head.edge, head.mac].every(({ length }) => length === 32);
  return isWellFormed && timingSafeEqual(head.mac, macOf(key, head)) && head.root.equals(rootOfEdge(head.edge));
}

/** HMAC-SHA256 over a domain line, the size (uint64, big endian), the root and the edge hashes, largest subtree first. The size tells how many they are. */
function macOf(key: Buffer, { size, root, edge }: Omit<SignedHead, 'mac'>): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(size));
  return createHmac('sha256', key).update(DOMAIN).update(number).update(root).update(Buffer.concat(edge)).digest();
}
