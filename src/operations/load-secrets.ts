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
  // A ciphertext of another region opens here where this region's key is a replica of the one that made it: so the second region takes over without a row being changed.
  const wrapped = row.wrapped[keyService.region] ?? Object.values(row.wrapped)[0];
  if (wrapped === undefined) throw new PortError('corrupt', `the keys table's row of the secret ${name} holds no ciphertext: restore it from the table's backups`);
  const secret = await keyService.unwrap(name, wrapped).catch((error: unknown) => {
    if (keyService.region in row.wrapped || !(error instanceof PortError)) throw error;
    throw new PortError(error.code, `the secret ${name} is not wrapped for ${keyService.region}, only for ${Object.keys(row.wrapped).join(', ')}, and the key here does not open that: ${error.message}`, { cause: error });
  });
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
