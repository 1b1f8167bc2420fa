/** The pool of staff as somebody sees it who signs in: public calls, no AWS credentials. Refusals are values; what could not be asked is a `PortError`. */

export interface Tokens {
  readonly accessToken: string;
  /** Absent where a refresh token was used: it goes on being the one. */
  readonly refreshToken?: string;
  /** Seconds the access token is accepted. */
  readonly expiresInSeconds: number;
}

/** The challenges a pool of ours can ask; any other is one we cannot answer. */
export type ChallengeName = 'PASSWORD_VERIFIER' | 'NEW_PASSWORD_REQUIRED' | 'MFA_SETUP' | 'SOFTWARE_TOKEN_MFA';

export type SignInRefusal =
  /** The name, the password, the account's state, or the refresh token: the pool does not say which. */
  | 'not-authorized'
  /** A one-time code that is wrong, old, or was used. */
  | 'wrong-code'
  /** A new password that does not keep the pool's rules. */
  | 'weak-password'
  | 'too-many-attempts'
  /** The challenge was answered too late, or is not of this sign-in. */
  | 'expired';

export type SignInStep =
  | { readonly step: 'tokens'; readonly tokens: Tokens }
  | { readonly step: 'challenge'; readonly name: string; readonly session: string | undefined; readonly parameters: Readonly<Record<string, string>> }
  | { readonly step: 'refused'; readonly reason: SignInRefusal };

export interface StaffPool {
  /** Begins with the name and SRP_A (hexadecimal); a pool that hides who exists answers for anybody. */
  begin(userName: string, srpA: string): Promise<SignInStep>;
  answer(challenge: ChallengeName, session: string | undefined, responses: Readonly<Record<string, string>>): Promise<SignInStep>;
  /** A new TOTP secret, Base32, for who is signing in (session) or signed in (access token). It counts once a code of it was verified. */
  newTotpSecret(proof: TotpProof): Promise<{ readonly secret: string; readonly session: string | undefined }>;
  verifyTotp(proof: TotpProof, code: string): Promise<{ readonly session: string | undefined } | SignInRefusal>;
  refresh(refreshToken: string): Promise<SignInStep>;
  /** Ends the refresh token and every access token that came of it; ending one twice is ending it. */
  revoke(refreshToken: string): Promise<void>;
}

export type TotpProof = { readonly session: string } | { readonly accessToken: string };
