/**
 * The far end of the AWS SDK: a client made with `overrides` signs, serializes, retries and checks as ever, and its requests arrive here instead of
 * at AWS. So a test asserts what is on the wire, not what our code meant to send.
 */
import { Readable } from 'node:stream';
import type { ClientOverrides } from '../../../src/adapters/aws/sdk-settings';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** DynamoDB, KMS and Secrets Manager: the operation's name and its input. */
  readonly operation: string;
  readonly json: Record<string, unknown>;
}
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
/** An Error thrown by it is a connection that broke. */
export type Server = (sent: Sent) => Reply | Promise<Reply>;

export function fakeAws(server: Server): { readonly overrides: ClientOverrides; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const requestHandler = {
    async handle(raw: unknown) {
      const request = raw as { method: string; path: string; query?: Record<string, string>; headers: Record<string, string>; body?: string | Uint8Array };
      const { body: payload = '' } = request;
      const body = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
      const target = headers['x-amz-target'];
      const one: Sent = {
        method: request.method,
        path: decodeURIComponent(request.path),
        query: request.query ?? {},
        headers,
        body,
        operation: target?.split('.').pop() ?? '',
        json: target === undefined ? {} : (JSON.parse(body.toString()) as Record<string, unknown>),
      };
      sent.push(one);
      const reply = await server(one);
      return { response: { statusCode: reply.status, headers: reply.headers ?? {}, body: Readable.from([Buffer.from((reply.body ?? '') as string)]) } };
    },
  };
  return {
    overrides: { region: 'us-east-1', endpoint: 'https://aws.invalid', credentials: { accessKeyId: 'a', secretAccessKey: 's' }, requestHandler },
    sent,
  };
}

export const jsonReply = (body: unknown, status = 200): Reply => ({ status, headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r-1' }, body: JSON.stringify(body) });
export const jsonError = (name: string, more: Record<string, unknown> = {}, status = 400): Reply =>
  jsonReply({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, Message: 'SECRET-CONTENT quoted by the service', ...more }, status);
export const xmlError = (status: number, code: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>SECRET-CONTENT quoted by the service</Message></Error>`,
});
/** The connection broke: nothing is known about the outcome. */
export const connectionReset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
