/**
 * Bodies kept outside their records, put back from the vault where the inbox has lost them. Only what is missing is put, under its own name, and only if its hash is the one in the
 * record; what is there is never overwritten.
 */
import { contentNamedBy } from '../core/change-judgement';
import { bytesOf, integerOf } from '../core/image';
import type { NamedObject } from '../core/entry';
import { sha256Hex } from '../core/log/sha256';
import type { Inbox } from '../ports';
import { once } from './load-secrets';
import { openBody, type SealedReader } from './open-sealed';
import type { ReplayedRecord } from './replay-log';

/** A body that the inbox does not have, and where the vault does. */
export interface LostContent {
  readonly name: string;
  /** Lowercase hex, from the record. */
  readonly sha256: string;
  readonly subject: string;
  readonly objects: readonly NamedObject[];
  /** Entry of its record. */
  readonly index: number;
  readonly id: string;
}

/** `content-unsealed`: no entry names it. `content-closed`: its blob is gone or damaged, or no key opens it. `content-different`: the inbox has other bytes under its name. */
export type ContentLoss = 'content-unsealed' | 'content-closed' | 'content-different';

export interface ContentCheck {
  /** 'there' (or not named at all), lost, or why it can not be put back. Throws `PortError`. */
  look(record: ReplayedRecord): Promise<'there' | LostContent | 'content-different'>;
}

/** Looks by name and length, in one listing that is made when it is first needed. */
export function contentCheck(inbox: Pick<Inbox, 'list'>): ContentCheck {
  const listing = once(async () => {
    const there = new Map<string, number>();
    for await (const { name, bytes } of inbox.list('content/')) there.set(name, bytes);
    return there;
  });
  return {
    look: async ({ image, entry, index }) => {
      const content = contentNamedBy(image);
      // A genuine record names contents only; anything else would lead elsewhere in the bucket.
      if (content === undefined || !content.name.startsWith('content/') || bytesOf(image, 'contentSha256') === undefined) return 'there';
      const length = (await listing()).get(content.name);
      if (length === undefined) return { ...content, subject: entry.subject, objects: entry.objects ?? [], index, id: entry.id };
      return length === (integerOf(image, 'contentBytes') ?? length) ? 'there' : 'content-different';
    },
  };
}

/** The body's bytes, as the record vouches for them. Throws `PortError`, `VaultReadError`. */
export async function openContent({ vault, subjectKeys }: SealedReader, { subject, objects, sha256 }: LostContent): Promise<Buffer | 'content-unsealed' | 'content-closed'> {
  if (objects.length === 0) return 'content-unsealed';
  const key = await subjectKeys.existing(subject);
  if (typeof key === 'string') return 'content-closed';
  for (const object of objects) {
    const body = await openBody({ vault }, object.sha256, key);
    if (typeof body !== 'string' && sha256Hex(body) === sha256) return body;
  }
  return 'content-closed';
}
