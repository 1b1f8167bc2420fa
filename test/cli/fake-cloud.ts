/**
 * A local cloud that only listens: it answers the health probe and a few calls, and keeps what it was asked. Its certificate is made here, so no key lies in the
 * repository. And a trap: a plain server that nothing may ever connect to.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface FakeCloud {
  readonly endpoint: string;
  /** PEM. */
  readonly certificate: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** `answer` gives the body for a call, by its X-Amz-Target or path; undefined is a 404, a promise that never settles a server that hangs. */
export async function fakeCloud(answer: (asked: Asked) => string | Uint8Array | undefined | Promise<never>): Promise<FakeCloud> {
  const { key, certificate } = selfSigned();
  const asked: Asked[] = [];
  const server = createHttps({ key, cert: certificate }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      if (one.path === '/_ministack/health') return response.end('{}');
      asked.push(one);
      return void Promise.resolve(answer(one)).then((body) => {
        response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(body ?? '<Error><Code>NoSuchKey</Code></Error>');
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    asked,
    close: () => new Promise((done) => { server.close(() => done()); server.closeAllConnections(); }),
  };
}

export interface Trap {
  readonly url: string;
  /** Connections so far, whatever was sent on them. */
  readonly caught: () => number;
  close(): Promise<void>;
}

export async function trap(): Promise<Trap> {
  let caught = 0;
  const server = createHttp((_request, response) => void response.writeHead(400).end()).on('connection', () => caught++);
  server.on('connect', (_request, socket) => socket.destroy());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caught: () => caught,
    close: () => new Promise((done) => { server.close(() => done()); server.closeAllConnections(); }),
  };
}

/** An Ed25519 certificate for 127.0.0.1 (RFC 5280, RFC 8410), valid for a day around now. */
function selfSigned(): { readonly key: string; readonly certificate: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const algorithm = der(0x30, Buffer.from('06032b6570', 'hex'));
  const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('127.0.0.1')))));
  const time = (ms: number): Buffer => der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
  const day = 86_400_000;
  const extension = (oid: string, critical: boolean, value: Buffer): Buffer => der(0x30, Buffer.from(oid, 'hex'), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), der(0x04, value));
  const body = der(
    0x30,
    Buffer.from('a003020102', 'hex'),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name,
    der(0x30, time(Date.now() - day), time(Date.now() + day)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, der(0x30, extension('0603551d13', true, der(0x30, Buffer.from('0101ff', 'hex'))), extension('0603551d11', false, der(0x30, der(0x87, Buffer.of(127, 0, 0, 1)))))),
  );
  const signed = der(0x30, body, algorithm, der(0x03, Buffer.of(0), sign(null, body, privateKey)));
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? [];
  return { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), certificate: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n') };
}

/** Tag, length, value. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const length = value.length < 0x80 ? Buffer.of(value.length) : value.length < 0x100 ? Buffer.of(0x81, value.length) : Buffer.of(0x82, value.length >> 8, value.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, value]);
}
