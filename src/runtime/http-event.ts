/**
 * An HTTP API event (payload version 2.0) as what our handlers need of it. The body is given back byte for byte: API Gateway hands over text as it came and
 * everything else as base64, and the signature is over the bytes.
 */

/** The members we read; everything in it was chosen by whoever sent the request. */
export interface HttpEvent {
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  /** `<METHOD> <path as the template has it>`. */
  readonly routeKey?: string;
  /** By the names in braces of the route, decoded. */
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly requestContext?: {
    readonly http?: { readonly method?: string; readonly path?: string; readonly sourceIp?: string; readonly userAgent?: string };
    /** What the authorizer of a route found in the token; nobody but API Gateway can write it. Absent on routes without one. */
    readonly authorizer?: { readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> } };
  };
}

export const methodOf = (event: HttpEvent): string => (event.requestContext?.http?.method ?? '').toUpperCase();

export const rawBodyOf = (event: HttpEvent): Buffer => Buffer.from(event.body ?? '', event.isBase64Encoded === true ? 'base64' : 'utf8');

/** HTTP APIs write header names in lower case; others who speak the same format may not. `lowerName`: in lower case. */
export function headerOf({ headers = {} }: HttpEvent, lowerName: string): string | undefined {
  const exact = headers[lowerName];
  if (exact !== undefined) return exact;
  const name = Object.keys(headers).find((each) => each.toLowerCase() === lowerName);
  return name === undefined ? undefined : headers[name];
}

/** Whether the request is for `path`, whatever stage or base path stands before it. */
export const isFor = (event: HttpEvent, path: string): boolean => (event.rawPath ?? event.requestContext?.http?.path ?? path).replace(/\/$/, '').endsWith(path);
