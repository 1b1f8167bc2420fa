/**
 * AWS on a port of this machine, as far as a handler needs it to run: the real SDK over real HTTP. Three moods: everything works and every table is empty;
 * everything fails and quotes what it was sent, as validation errors do; and nobody has set the app secret.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeCloud {
  mood: 'works' | 'fails' | 'no-secret';
  /** Operations asked for, in order. */
  readonly asked: string[];
  /** Answers that CloudFormation got. */
  readonly cloudFormation: Record<string, unknown>[];
  readonly url: string;
  stop(): Promise<void>;
}

export const APP_SECRET = 'app-secret';

const wrapped = { generation: { N: '1' }, wrapped: { M: { 'us-east-1': { B: Buffer.alloc(40, 1).toString('base64') } } } };
const identity = { pk: { S: 'identity' }, sk: { S: 'identity' }, origin: { S: 'example.com/whatsapp/0123456789abcdef' }, systemSubject: { S: 'A'.repeat(22) } };

export async function fakeCloud(): Promise<FakeCloud> {
  const asked: string[] = [];
  const cloudFormation: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const operation = String(request.headers['x-amz-target'] ?? `${request.method} s3`).split('.').pop() ?? '';
      asked.push(operation);
      const { status, reply } = request.url === '/cloudformation' ? cloudFormationAnswer(body) : answer(operation, body);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cloud: FakeCloud = {
    mood: 'works',
    asked,
    cloudFormation,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  function answer(operation: string, body: string): { status: number; reply: string } {
    if (operation === 'GetSecretValue') return json({ SecretString: cloud.mood === 'no-secret' ? '' : JSON.stringify({ appSecrets: [APP_SECRET], verifyToken: 'token' }) });
    if (operation === 'Decrypt') return json({ Plaintext: Buffer.alloc(32, 7).toString('base64') });
    if (operation === 'GetItem' && body.includes('secret#')) return json({ Item: { pk: { S: 'secret' }, sk: { S: '1' }, ...wrapped } });
    if (cloud.mood === 'fails') return { status: 400, reply: JSON.stringify({ __type: 'x#ValidationException', message: `One or more values are not valid: ${body}` }) };
    if (operation === 'GetItem' && body.includes('"identity"')) return json({ Item: identity });
    if (operation.endsWith('s3')) return operation.startsWith('GET') ? { status: 404, reply: '<Error><Code>NoSuchKey</Code></Error>' } : { status: 200, reply: '' };
    return json(operation === 'Query' || operation === 'Scan' ? { Items: [] } : {});
  }

  function cloudFormationAnswer(body: string): { status: number; reply: string } {
    cloudFormation.push(JSON.parse(body) as Record<string, unknown>);
    return { status: 200, reply: '' };
  }
  return cloud;
}

const json = (body: unknown): { status: number; reply: string } => ({ status: 200, reply: JSON.stringify(body) });

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
