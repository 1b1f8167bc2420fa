/**
 * Gives a deployment its log, once: secrets, name, empty head, first verifier key, signed checkpoint of size 0. Every step is create-only and is skipped
 * when it was done, so the deployment may run it as often as it likes and a crash anywhere is finished by the next run.
 */
import { emptyHead, headKey } from '../core/head';
import { formatFirstKey } from '../core/log/log-vkeys';
import { EMPTY_ROOT } from '../core/log/merkle';
import { isKeyName, verifierKey } from '../core/log/vkey';
import { newSubject } from '../core/subject-key';
import type { KeyService, KeyTable, LogIdentity, LogStore, Random, SecretName, Signer, Vault } from '../ports';
import { loadSecrets } from './load-secrets';
import { LogStopped } from './read-log';
import { readKeys, signedOnce } from './sign-checkpoint';

export interface InitializeDeps {
  readonly log: Pick<LogStore, 'identity' | 'initialize'>;
  readonly vault: Pick<Vault, 'get' | 'getMutable' | 'replaceMutable' | 'createLocked'>;
  readonly keys: Pick<KeyTable, 'getSecret' | 'createSecret'>;
  readonly keyService: KeyService;
  readonly signer: Signer;
  readonly random: Random;
}

const SECRETS: readonly SecretName[] = ['kek', 'mac', 'dedupe'];

/** The log's identity; `originPrefix` (`example.com/whatsapp`) counts only the first time. Throws `LogStopped`, `PortError`, RangeError on a prefix no key can bear. */
export async function initializeLog(deps: InitializeDeps, originPrefix: string): Promise<LogIdentity> {
  // Secrets first: the head's MAC needs one. Died in between: those that exist are kept, whoever may have used them already.
  for (const name of SECRETS) await createSecret(deps, name);
  const identity = await createIdentity(deps, originPrefix);
  await createKeyHistory(deps, identity);
  await createCheckpoint(deps, identity);
  return identity;
}

async function createSecret({ keys, keyService }: InitializeDeps, name: SecretName): Promise<void> {
  if ((await keys.getSecret(name)) !== 'absent') return;
  const wrapped = await keyService.generate(name);
  // 'exists': another run was first; this ciphertext was never used.
  await keys.createSecret(name, { generation: 1, wrapped: { [keyService.region]: wrapped } });
}

async function createIdentity(deps: InitializeDeps, originPrefix: string): Promise<LogIdentity> {
  const { log, vault, random } = deps;
  // The vault before the table: a run at the same time writes them in the other order, so what it put into the vault has an identity by now.
  const vaultHoldsLog = (await vault.getMutable('log.vkeys')) !== 'absent' || (await vault.getMutable('checkpoint')) !== 'absent';
  const there = await log.identity();
  if (there !== 'absent') return there;
  // A vault with a log but a table without one: the table was lost. A second log in the vault would be the end of both.
  if (vaultHoldsLog) {
    throw new LogStopped('not-initialized', 'the vault holds a log already, but the log table does not know it: restore the log table, or deploy a new vault');
  }
  const identity = { origin: `${originPrefix}/${random(8).toString('hex')}`, systemSubject: newSubject(random) };
  if (!isKeyName(identity.origin)) throw new RangeError(`the origin prefix ${JSON.stringify(originPrefix)} holds spaces or a plus sign, which no checkpoint can bear`);
  const { kek } = loadSecrets(deps);
  if ((await log.initialize(identity, emptyHead(headKey(await kek())))) === 'created') return identity;
  const first = await log.identity();
  if (first === 'absent') throw new LogStopped('not-initialized', 'the log table has a head but no identity: run recover-head');
  return first;
}

async function createKeyHistory({ vault, signer }: InitializeDeps, { origin }: LogIdentity): Promise<void> {
  if ((await vault.getMutable('log.vkeys')) !== 'absent') return;
  // 'stale': another run was first.
  await vault.replaceMutable('log.vkeys', formatFirstKey(verifierKey(origin, await signer.publicKey())), 'absent');
}

async function createCheckpoint({ vault, signer }: InitializeDeps, { origin }: LogIdentity): Promise<void> {
  if ((await vault.getMutable('checkpoint')) !== 'absent') return;
  const keys = await readKeys(vault, origin);
  const note = await signedOnce({ vault, signer, keys }, { origin, size: 0, root: EMPTY_ROOT, extensions: [] });
  await vault.replaceMutable('checkpoint', note, 'absent');
}
