/** Wrapped keys and the KMS in memory. The KMS really encrypts, under a key of its own and with the secret's name as context, so a mix-up fails as it would on AWS. */
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { PortError, type KeyService, type KeyTable, type Random, type SecretName, type Signer, type WrappedKey, type WrappedSecret } from '../../ports';

export interface MemoryKeyTable extends KeyTable {
  /** 'erased': the row stands, its bytes are gone. 'corrupt': somebody damaged it. */
  readonly subjects: Map<string, WrappedKey | 'erased' | 'corrupt'>;
  readonly secrets: Map<SecretName, WrappedSecret>;
  /** Subjects marked as being under a legal hold. */
  readonly held: Set<string>;
}

export function memoryKeyTable(): MemoryKeyTable {
  const subjects: MemoryKeyTable['subjects'] = new Map();
  const secrets: MemoryKeyTable['secrets'] = new Map();
  const createIn = <K, V>(map: Map<K, V>, key: K, value: V): 'created' | 'exists' => {
    if (map.has(key)) return 'exists';
    map.set(key, value);
    return 'created';
  };
  return {
    subjects,
    secrets,
    held: new Set(),
    get: async (subject) => subjects.get(subject) ?? 'absent',
    create: async (key) => createIn<string, WrappedKey | 'erased' | 'corrupt'>(subjects, key.subject, key),
    getSecret: async (name) => secrets.get(name) ?? 'absent',
    createSecret: async (name, secret) => createIn(secrets, name, secret),
  };
}

export function memoryKeyService({ random, region = 'memory-1' }: { readonly random: Random; readonly region?: string }): KeyService {
  const master = random(32);
  return {
    region,
    generate: async (name) => {
      const iv = random(12);
      const cipher = createCipheriv('aes-256-gcm', master, iv).setAAD(Buffer.from(name));
      return Buffer.concat([iv, cipher.update(random(32)), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap: async (name, wrapped) => {
      try {
        const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(0, 12)).setAAD(Buffer.from(name)).setAuthTag(wrapped.subarray(-16));
        return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
      } catch (cause) {
        throw new PortError('corrupt', `this is not a ciphertext of the secret ${name}`, { cause });
      }
    },
  };
}

// PKCS #8 of an Ed25519 key is this prefix and the 32-byte seed (RFC 8410).
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export function memorySigner({ random }: { readonly random: Random }): Signer {
  const key: KeyObject = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, random(32)]), format: 'der', type: 'pkcs8' });
  return {
    sign: async (message) => {
      if (message.length > 4096) throw new PortError('corrupt', 'a message to sign has at most 4,096 bytes');
      return sign(null, message, key);
    },
    publicKey: async () => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32),
  };
}
