/**
 * The three system secrets, unwrapped once per container and kept in its memory only. Which of them a function can have is decided by its role: the
 * KMS grants each under its own encryption context.
 */
import type { MacKey } from '../core/record-mac';
import type { KeyEncryptionKey } from '../core/subject-key';
import { PortError, type KeyService, type KeyTable, type SecretName } from '../ports';

export interface SecretDeps {
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
}

/** Each resolves to the same value for the life of the container; a failure is not remembered. All throw `PortError`. */
export interface Secrets {
  kek(): Promise<KeyEncryptionKey>;
  /** The key that makes new MACs first; all are accepted. */
  macKeys(): Promise<readonly [MacKey, ...MacKey[]]>;
  /** 32 bytes. */
  dedupeKey(): Promise<Buffer>;
}

export function loadSecrets(deps: SecretDeps): Secrets {
  return {
    kek: once(() => loadSecret(deps, 'kek').then(({ generation, secret }) => ({ generation, key: secret }))),
    macKeys: once(() => loadSecret(deps, 'mac').then(({ generation, secret }) => [{ id: generation, secret }] as const)),
    dedupeKey: once(() => loadSecret(deps, 'dedupe').then(({ secret }) => secret)),
  };
}

async function loadSecret({ keys, keyService }: SecretDeps, name: SecretName): Promise<{ readonly generation: number; readonly secret: Buffer }> {
  const row = await keys.getSecret(name);
  if (row === 'absent') throw new PortError('corrupt', `the keys table holds no secret ${name}: run initialize-log`);
  const wrapped = row.wrapped[keyService.region];
  if (wrapped === undefined) throw new PortError('corrupt', `the secret ${name} is not wrapped for ${keyService.region}, only for ${Object.keys(row.wrapped).join(', ')}`);
  const secret = await keyService.unwrap(name, wrapped);
  if (secret.length !== 32) throw new PortError('corrupt', `the secret ${name} has ${secret.length} bytes, not 32`);
  return { generation: row.generation, secret };
}

/** `load` until it succeeds once; concurrent callers share one attempt. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
