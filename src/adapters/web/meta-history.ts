/**
 * The `MessageHistory` port on Meta's Graph API. The token goes to the one address that is configured, over TLS, in a header, and nowhere else: no address out of an answer is followed, no redirect either, and no message
 * repeats what Meta or the request said. What passes (429, 5xx, Meta's own codes for "later", the network) is tried again a few times; what does not is thrown.
 */
import { HISTORY_FIELDS, HISTORY_PAGE, parseGraphError, parseHistoryPage, type HistoryPage } from '../../core/meta/message-history';
import { PortError, type Sleep } from '../../ports';
import type { HistoryToken, MessageHistory } from '../../ports/message-history';

export const META_BASE_URL = 'https://graph.facebook.com/v23.0';

export interface MetaHistoryOptions {
  /** https, with the version, without a final slash. */
  readonly baseUrl?: string | undefined;
  readonly sleep: Sleep;
  readonly fetch?: typeof globalThis.fetch;
  readonly timeoutMs?: number;
}

/** A page of 100 messages with a few events each has some 50 KB. */
const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Waits of 1, 2, 4, 8 s: a rate limit counts by the hour and is not outwaited here; the next run is. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 1_000;
/** What a server asks for by Retry-After is respected up to here. */
const LONGEST_WAIT_MS = 60_000;

/** Throws RangeError for an address that is not https. */
export function metaMessageHistory(token: () => Promise<HistoryToken | 'unset'>, options: MetaHistoryOptions): MessageHistory {
  const base = new URL(options.baseUrl ?? META_BASE_URL);
  if (base.protocol !== 'https:' || base.username !== '' || base.search !== '' || base.hash !== '') throw new RangeError('the address of Meta is https://<host>/<version>: a token goes there');
  let known: HistoryToken | 'unset' | undefined;
  return {
    async numbers() {
      known = await token();
      return known === 'unset' ? 'unset' : known.phoneNumberIds;
    },
    async page(phoneNumberId, after) {
      known ??= await token();
      if (known === 'unset') throw new PortError('denied', "there is no token for Meta's history");
      const url = new URL(`${base.href.replace(/\/$/, '')}/${encodeURIComponent(phoneNumberId)}/message_history`);
      url.search = new URLSearchParams({ fields: HISTORY_FIELDS, limit: String(HISTORY_PAGE), ...(after !== undefined && { after }) }).toString();
      return pageOf(`Meta's history of ${phoneNumberId}`, url, known.token, options);
    },
  };
}

async function pageOf(what: string, url: URL, token: string, options: MetaHistoryOptions): Promise<HistoryPage> {
  for (let attempt = 1; ; attempt++) {
    const answer = await askOnce(what, url, token, options);
    if ('page' in answer) return answer.page;
    if (attempt === ATTEMPTS) throw answer.failed;
    await options.sleep(Math.min(LONGEST_WAIT_MS, answer.afterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1)));
  }
}

/** A passing fault comes back as a value, so that the caller may try again; others are thrown. */
type Answer = { readonly page: HistoryPage } | { readonly failed: PortError; readonly afterMs?: number | undefined };

async function askOnce(what: string, url: URL, token: string, { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS }: MetaHistoryOptions): Promise<Answer> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    text = await boundedText(response);
  } catch (error) {
    return { failed: new PortError('unavailable', `${what} could not be read: ${reasonOf(error)}`) };
  }
  if (text === undefined) throw new PortError('corrupt', `${what}: an answer is longer than ${MAX_BYTES} bytes`);
  if (response.status === 200) {
    const page = parseHistoryPage(text);
    if (page === 'malformed') throw new PortError('corrupt', `${what}: an answer is not what Meta documents; compare it with src/core/meta/message-history.ts`);
    return { page };
  }
  const { code, transient } = parseGraphError(text);
  const said = `${what}: HTTP ${response.status}${code === undefined ? '' : `, code ${code}`}`;
  if (response.status === 429 || response.status >= 500 || transient) {
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { failed: new PortError('unavailable', `${said}; the next run asks again`), afterMs: seconds > 0 ? seconds * 1_000 : undefined };
  }
  throw new PortError('denied', `${said}: Meta refuses the token or the number; put a valid token for it into the secret`);
}

/** Undefined: longer than allowed. */
async function boundedText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A code such as ECONNREFUSED, or the kind of error; never its words, which may hold the address and what was asked. */
function reasonOf(error: unknown): string {
  const { name, cause } = (typeof error === 'object' && error !== null ? error : {}) as { readonly name?: unknown; readonly cause?: { readonly code?: unknown } | null };
  const code = cause?.code;
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}
