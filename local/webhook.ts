/** The webhook as Meta uses it: a POST of exactly the bytes given with their HMAC beside them. For processes that run in the local environment. */

export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The body where it is a JSON object, else undefined. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** One POST; every answer is an answer, only an unreachable webhook throws. Without `signature` the header is left out. */
export async function postDelivery(url: string, body: Uint8Array, signature?: string): Promise<WebhookAnswer> {
  return answerOf(await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(signature === undefined ? {} : { 'x-hub-signature-256': signature }) },
    body: new Uint8Array(body),
  }));
}

/** Reads an answer whole. */
export async function answerOf(response: Response): Promise<WebhookAnswer> {
  const text = await response.text();
  return { status: response.status, contentType: response.headers.get('content-type') ?? '', text, json: parsed(text) };
}

function parsed(text: string): WebhookAnswer['json'] {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // Not JSON, e.g. the handshake's bare challenge.
  }
}
