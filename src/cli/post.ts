/**
 * One HTTPS request, a POST of exactly the bytes given or a GET: no client library that would re-encode, compress or retry stands between a file and the webhook.
 */
import { request } from 'node:https';
import type { Answer } from './world';
import { Failure } from './failure';

/** Above API Gateway's own 30 s, so that its answer is heard. */
const timeoutMs = 40_000;
/** An answer of ours has some hundred bytes. */
const maxAnswerBytes = 1_000_000;

/** Posts `body`; any answer is an answer. `ca`: the only certificate to trust, PEM. Throws Failure `unreachable`. */
export const post = (url: string, body: Uint8Array, headers: Readonly<Record<string, string>>, ca?: string): Promise<Answer> =>
  exchange(url, 'POST', body, { 'content-type': 'application/json', ...headers, 'content-length': `${body.length}` }, 'sending again is harmless: what was recorded is recognised', ca);

/** Gets `url`; as `post`. */
export const get = (url: string, headers: Readonly<Record<string, string>>, ca?: string): Promise<Answer> => exchange(url, 'GET', undefined, headers, 'check the connection, then run the command again', ca);

function exchange(url: string, method: string, body: Uint8Array | undefined, headers: Readonly<Record<string, string>>, next: string, ca: string | undefined): Promise<Answer> {
  return new Promise((done, failed) => {
    const unreachable = (cause: Error): void =>
      failed(new Failure('unreachable', `${new URL(url).host} did not answer: ${cause.message}`, next, { cause }));
    const call = request(
      url,
      { method, headers, timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxAnswerBytes) call.destroy(new Error(`an answer of more than ${maxAnswerBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
        response.on('error', unreachable);
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    call.on('error', unreachable);
    call.end(body);
  });
}
