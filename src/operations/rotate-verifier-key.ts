/**
 * Lets the newest verifier key vouch for the next one in `log.vkeys`. Whoever pinned an older key follows the chain; nothing signed before changes. Afterwards
 * the publisher is given the new key; until then it goes on with the old one, and once the new one has signed, the old one may not.
 */
import { appendKey } from '../core/log/log-vkeys';
import { formatVkey, sameKey, verifierKey } from '../core/log/vkey';
import type { LogStore, Signer, Vault } from '../ports';
import { LogStopped } from './read-log';
import { readKeys } from './sign-checkpoint';

export interface RotateDeps {
  readonly log: Pick<LogStore, 'identity'>;
  readonly vault: Pick<Vault, 'getMutable' | 'replaceMutable'>;
  /** Holds the newest key of `log.vkeys`. */
  readonly current: Signer;
  readonly next: Signer;
}

/** `done`: the next key was the newest already. `vkey`: the next key, one line. Throws `LogStopped` (`signer-unlisted`: `current` is not the newest key), `PortError`. */
export async function rotateVerifierKey({ log, vault, current, next }: RotateDeps): Promise<{ readonly outcome: 'rotated' | 'done'; readonly vkey: string }> {
  const identity = await log.identity();
  if (identity === 'absent') throw new LogStopped('not-initialized', 'the log has no identity yet: run initialize-log');
  const { origin } = identity;
  const nextKey = verifierKey(origin, await next.publicKey());
  const file = await vault.getMutable('log.vkeys');
  const newest = (await readKeys({ getMutable: async () => file }, origin)).at(-1);
  const vkey = formatVkey(nextKey);
  if (file === 'absent' || newest === undefined) throw new LogStopped('not-initialized', 'the vault has no log.vkeys: run initialize-log');
  if (sameKey(newest, nextKey)) return { outcome: 'done', vkey };
  if (!sameKey(newest, verifierKey(origin, await current.publicKey()))) throw new LogStopped('signer-unlisted', `only the newest key can vouch for the next one: ${formatVkey(newest)}`);
  const appended = await appendKey(file.bytes, nextKey, (message) => current.sign(message));
  const outcome = await vault.replaceMutable('log.vkeys', appended, file.etag);
  // Somebody else rotated, or a lost reply was tried again: what stands there now decides.
  return outcome === 'replaced' ? { outcome: 'rotated', vkey } : rotateVerifierKey({ log, vault, current, next });
}
