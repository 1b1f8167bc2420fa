import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { appSecrets, parseAppSecret, secretsManagerClient } from '../../../src/adapters/aws/app-secrets';
import { kmsClient, kmsKeyService, kmsSigner } from '../../../src/adapters/aws/kms';
import { fakeAws, jsonError, jsonReply, type Reply } from './fake-http';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe('the key service', () => {
  test('binds each secret to its name by the encryption context, and names its own key when unwrapping', async () => {
    const { overrides, sent } = fakeAws(({ operation }) => jsonReply(operation === 'Decrypt' ? { Plaintext: base64(Buffer.alloc(32, 7)) } : { CiphertextBlob: base64(Buffer.from('wrapped')) }));
    const service = kmsKeyService(kmsClient(overrides), 'arn:key', 'us-east-1');
    expect((await service.generate('kek')).toString()).toBe('wrapped');
    expect(await service.unwrap('mac', Buffer.from('wrapped'))).toEqual(Buffer.alloc(32, 7));
    expect(sent.map(({ operation, json }) => [operation, json['KeyId'], json['EncryptionContext']])).toEqual([
      ['GenerateDataKeyWithoutPlaintext', 'arn:key', { intact: 'kek' }],
      ['Decrypt', 'arn:key', { intact: 'mac' }],
    ]);
  });

  test('says denied, corrupt and unavailable apart', async () => {
    const asked = (reply: Reply) => kmsKeyService(kmsClient(fakeAws(() => reply).overrides), 'arn:key', 'r').unwrap('kek', Buffer.from('x'));
    await expect(asked(jsonError('AccessDeniedException'))).rejects.toMatchObject({ code: 'denied' });
    await expect(asked(jsonError('InvalidCiphertextException'))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(asked(jsonError('KMSInternalException', {}, 500))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(asked(jsonReply({ Plaintext: base64(Buffer.alloc(31)) }))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(asked(jsonReply({}))).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('the signer', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });

  test('signs exactly the bytes given, and its public key verifies them', async () => {
    const { overrides, sent } = fakeAws(({ operation, json }) =>
      jsonReply(operation === 'Sign' ? { Signature: base64(sign(null, Buffer.from(json['Message'] as string, 'base64'), privateKey)) } : { PublicKey: base64(spki) }),
    );
    const signer = kmsSigner(kmsClient(overrides), 'arn:key');
    const message = Buffer.from('example.com/log\n3\nroot\n');
    const raw = await signer.publicKey();
    expect(raw).toHaveLength(32);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
    expect(verify(null, message, key, await signer.sign(message))).toBe(true);
    expect(sent.find(({ operation }) => operation === 'Sign')?.json).toMatchObject({ MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' });
    await expect(signer.sign(Buffer.alloc(4097))).rejects.toThrow('4096');
  });

  test('refuses a key of another kind', async () => {
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    const { overrides } = fakeAws(() => jsonReply({ PublicKey: base64(rsa) }));
    await expect(kmsSigner(kmsClient(overrides), 'arn:key').publicKey()).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('the app secret', () => {
  const text = (appSecret: string) => JSON.stringify({ appSecrets: [appSecret], verifyToken: 't' });
  function world(...replies: Reply[]) {
    const clock = { ms: 1_000_000 };
    const { overrides, sent } = fakeAws(() => replies.shift() ?? jsonError('InternalServiceError', {}, 400));
    return { secrets: appSecrets(secretsManagerClient(overrides), 'arn:secret', () => new Date(clock.ms)), sent, clock };
  }

  test('is read once a minute however many ask, and once for many that ask at the same time', async () => {
    const { secrets, sent, clock } = world(jsonReply({ SecretString: text('a') }), jsonReply({ SecretString: text('b') }));
    const first = await Promise.all([secrets.current(), secrets.current(), secrets.current()]);
    expect(first.map(({ appSecrets: [one] }) => one)).toEqual(['a', 'a', 'a']);
    clock.ms += 59_999;
    expect((await secrets.current()).appSecrets).toEqual(['a']);
    expect(sent).toHaveLength(1);
    clock.ms += 1;
    expect((await secrets.current()).appSecrets).toEqual(['b']);
    expect(sent).toHaveLength(2);
  });

  test('is read again on a mismatch, but not more than once in ten seconds', async () => {
    const { secrets, sent, clock } = world(jsonReply({ SecretString: text('a') }), jsonReply({ SecretString: text('b') }));
    await secrets.current();
    clock.ms += 9_999;
    expect((await secrets.refresh()).appSecrets).toEqual(['a']);
    clock.ms += 1;
    expect((await secrets.refresh()).appSecrets).toEqual(['b']);
    expect((await secrets.refresh()).appSecrets).toEqual(['b']);
    expect(sent).toHaveLength(2);
  });

  test('that cannot be read is an error, not an empty one, and does not live on past its minute', async () => {
    const { secrets, clock } = world(jsonReply({ SecretString: text('a') }));
    await secrets.current();
    clock.ms += 60_000;
    await expect(secrets.current()).rejects.toMatchObject({ code: 'unavailable' });
    const denied = world(jsonError('AccessDeniedException'));
    await expect(denied.secrets.current()).rejects.toMatchObject({ code: 'denied' });
  });

  test('that nobody has set is empty', async () => {
    expect(await world(jsonError('ResourceNotFoundException')).secrets.current()).toEqual({ appSecrets: [], verifyToken: '' });
    expect(parseAppSecret('')).toEqual({ appSecrets: [], verifyToken: '' });
    expect(parseAppSecret('{}')).toEqual({ appSecrets: [], verifyToken: '' });
    expect(parseAppSecret('{"appSecrets":["",""],"verifyToken":""}')).toEqual({ appSecrets: [], verifyToken: '' });
  });

  test.each(['secret', '[]', 'null', '1', '{"appSecrets":"a"}', '{"appSecrets":[1]}', '{"verifyToken":1}'])('that reads %s is corrupt and is not quoted', (secret) => {
    expect(() => parseAppSecret(secret)).toThrow(expect.objectContaining({ code: 'corrupt', message: expect.not.stringContaining(`"${secret}"`) as string }) as Error);
  });
});
