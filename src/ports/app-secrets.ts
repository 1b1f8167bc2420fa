/**
 * Who may speak to the webhook: Meta's app secret, or two during a rotation, and the token of the subscription handshake. Read by every
 * delivery, changed by a person a few times a year, so an implementation caches; it promises how stale an answer may be.
 */

/** Empty lists and tokens mean that nobody has set them yet: every POST is then refused with 401 and every GET with 403. */
export interface AppSecret {
  /** Current first, then the previous one while a rotation lasts. Never holds an empty string: an HMAC under an empty key is anybody's to make. */
  readonly appSecrets: readonly string[];
  /** '' when not set; compare only when it is not. */
  readonly verifyToken: string;
}

/**
 * Both methods throw `PortError` when the secret could not be read or is not what it should be (`corrupt`); neither ever answers "empty" for that.
 */
export interface AppSecrets {
  /** At most 60 s old. */
  current(): Promise<AppSecret>;
  /**
   * For a signature that does not match: read again now, unless somebody did within the last 10 s: then `current()`. Forged traffic can therefore
   * cause no more than one read in 10 s per container.
   */
  refresh(): Promise<AppSecret>;
}
