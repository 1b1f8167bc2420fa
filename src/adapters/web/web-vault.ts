/**
 * A log over plain https, as tlog-tiles serves it. Such a server cannot be asked what it holds, so segments and unexpected objects cannot be
 * looked for; the report says so. The server is untrusted: answers are bounded in size and time.
 */
import { VaultReadError, type VaultReader } from '../../ports/vault-reader';

export interface WebVaultOptions {
  readonly maxObjectSize?: number;
  readonly timeoutMs?: number;
  /** Attempts at one object while the server is overloaded or the network fails. */
  readonly attempts?: number;
  /** Waits between attempts; grows with each. */
  readonly sleep?: (ms: number) => Promise<void>;
  readonly fetch?: typeof globalThis.fetch;
}

/** A bundle has at most 16.8 MB; blobs are content of one message. */
const MAX_OBJECT_SIZE = 200_000_000;
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Reads the log at `prefix` (https, or http on the loopback). Throws VaultReadError from its methods; RangeError for another URL. */
export function webVault(prefix: string, options: WebVaultOptions = {}): VaultReader {
  const base = new URL(prefix.endsWith('/') ? prefix : `${prefix}/`);
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(base.hostname);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && isLoopback)) throw new RangeError(`${prefix}: a log is read over https`);
  return { source: prefix, get: (name) => getWithRetries(base, name, options) };
}

async function getWithRetries(base: URL, name: string, options: WebVaultOptions): Promise<Buffer | 'absent'> {
  const { attempts = 4, sleep = (ms) => new Promise((done) => setTimeout(done, ms)) } = options;
  const url = new URL(name.split('/').map(encodeURIComponent).join('/'), base);
  if (!url.href.startsWith(base.href)) throw new VaultReadError('denied', `${JSON.stringify(name)} leads outside of ${base.href}`);
  for (let attempt = 1; ; attempt++) {
    const answer = await getOnce(url, options);
    if (!(answer instanceof VaultReadError)) return answer;
    if (answer.code !== 'unreachable' || attempt >= attempts) throw answer;
    await sleep(250 * 2 ** (attempt - 1));
  }
}

/** A passing fault comes back as a value, so that the caller may try again; others are thrown. */
async function getOnce(url: URL, { maxObjectSize = MAX_OBJECT_SIZE, timeoutMs = 30_000, fetch = globalThis.fetch }: WebVaultOptions): Promise<Buffer | 'absent' | VaultReadError> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error', headers: { 'accept-encoding': 'gzip, identity' } });
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return 'absent';
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      const message = `${url.href} answered ${response.status}`;
      if (RETRIED.has(response.status)) return new VaultReadError('unreachable', message);
      // 401 and 403 too: S3 answers 403 for what may or may not be there.
      throw new VaultReadError('denied', message);
    }
    return await bodyOf(response, url, maxObjectSize);
  } catch (cause) {
    if (cause instanceof VaultReadError) throw cause;
    return new VaultReadError('unreachable', `${url.href} could not be read: ${reason(cause)}`, { cause });
  }
}

async function bodyOf(response: Response, url: URL, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) throw new VaultReadError('too-large', `${url.href} is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reason(error: unknown): string {
  const cause = error instanceof Error ? ((error.cause as { code?: string } | undefined)?.code ?? error.name) : 'unknown';
  return String(cause);
}
