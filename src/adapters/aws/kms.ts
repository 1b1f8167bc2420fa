/**
 * The two uses of KMS: wrapping the three secrets everything else hangs on, and signing checkpoints. Keys never leave it; a secret's plaintext
 * leaves it once per container, bound to its name by the encryption context.
 */
import {
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { PortError, type KeyService, type SecretName, type Signer } from '../../ports';
import { asking } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: KMSClient | undefined;

/** The container's one KMS client, made when first asked for. */
export function kms(): KMSClient {
  return (shared ??= kmsClient());
}

/** A client of its own, for tests and tools. */
export function kmsClient(overrides: ClientOverrides = {}): KMSClient {
  return new KMSClient(sdkSettings(overrides) as ConstructorParameters<typeof KMSClient>[0] & object);
}

const SECRET_BYTES = 32;
/** Grants name this context, so that receive-webhook can have `mac` and `dedupe` unwrapped and never `kek`. */
const contextOf = (name: SecretName) => ({ intact: name });

export function kmsKeyService(client: KMSClient, keyArn: string, region: string): KeyService {
  return {
    region,
    async generate(name) {
      const { CiphertextBlob } = await asking(`have the ${name} secret made`, () =>
        client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: keyArn, NumberOfBytes: SECRET_BYTES, EncryptionContext: contextOf(name) })),
      );
      return bytesOf(CiphertextBlob, `the wrapped ${name} secret`);
    },
    async unwrap(name, wrapped) {
      const { Plaintext } = await asking(`have the ${name} secret unwrapped`, () =>
        // KeyId is given although the ciphertext names its key: one wrapped by somebody else's key is refused.
        client.send(new DecryptCommand({ KeyId: keyArn, CiphertextBlob: wrapped, EncryptionContext: contextOf(name) })),
      );
      const secret = bytesOf(Plaintext, `the ${name} secret`);
      if (secret.length !== SECRET_BYTES) throw new PortError('corrupt', `the ${name} secret has ${secret.length} bytes, not ${SECRET_BYTES}: the keys table holds something else under its name`);
      return secret;
    },
  };
}

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
/** KMS signs no more in one piece; a checkpoint has some 200 bytes. */
const MAX_MESSAGE_BYTES = 4_096;

export function kmsSigner(client: KMSClient, keyArn: string): Signer {
  return {
    async sign(message) {
      if (message.length > MAX_MESSAGE_BYTES) throw new Error(`KMS signs at most ${MAX_MESSAGE_BYTES} bytes, not ${message.length}`);
      const { Signature } = await asking('sign', () =>
        client.send(new SignCommand({ KeyId: keyArn, Message: message, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' })),
      );
      return bytesOf(Signature, 'the signature');
    },
    async publicKey() {
      const { PublicKey } = await asking('read the public key', () => client.send(new GetPublicKeyCommand({ KeyId: keyArn })));
      const spki = bytesOf(PublicKey, 'the public key');
      const isEd25519 = spki.length === ED25519_SPKI.length + 32 && spki.subarray(0, ED25519_SPKI.length).equals(ED25519_SPKI);
      if (!isEd25519) throw new PortError('corrupt', 'the signing key is no Ed25519 key: its KMS key spec must be ECC_NIST_EDWARDS25519');
      return spki.subarray(ED25519_SPKI.length);
    },
  };
}

function bytesOf(value: Uint8Array | undefined, what: string): Buffer {
  if (value === undefined) throw new PortError('corrupt', `KMS answered without ${what}`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
