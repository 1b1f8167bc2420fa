/**
 * The pool of staff through Cognito's public calls. Names and passwords, codes and tokens go through here: no error repeats what Cognito says but its code, and which of name and
 * password was wrong it does not tell us either.
 */
import { AssociateSoftwareTokenCommand, type AuthenticationResultType, CognitoIdentityProviderClient, type InitiateAuthCommandOutput, InitiateAuthCommand, type RespondToAuthChallengeCommandOutput, RespondToAuthChallengeCommand, RevokeTokenCommand, VerifySoftwareTokenCommand } from '@aws-sdk/client-cognito-identity-provider';
import type { SignInRefusal, SignInStep, StaffPool } from '../../ports/staff-pool';
import { asking } from '../aws/port-errors';
import { sdkSettings, type ClientOverrides } from '../aws/sdk-settings';

export const cognitoClient = (overrides: ClientOverrides = {}): CognitoIdentityProviderClient =>
  new CognitoIdentityProviderClient(sdkSettings(overrides) as ConstructorParameters<typeof CognitoIdentityProviderClient>[0] & object);

/** By the name of Cognito's error; what is not here could not be asked, or is our fault. */
const REFUSALS: Readonly<Record<string, SignInRefusal>> = {
  NotAuthorizedException: 'not-authorized',
  UserNotFoundException: 'not-authorized',
  UserNotConfirmedException: 'not-authorized',
  PasswordResetRequiredException: 'not-authorized',
  RefreshTokenReuseException: 'not-authorized',
  UserLambdaValidationException: 'not-authorized',
  CodeMismatchException: 'wrong-code',
  EnableSoftwareTokenMFAException: 'wrong-code',
  ExpiredCodeException: 'expired',
  InvalidPasswordException: 'weak-password',
  PasswordHistoryPolicyViolationException: 'weak-password',
  TooManyRequestsException: 'too-many-attempts',
  TooManyFailedAttemptsException: 'too-many-attempts',
  LimitExceededException: 'too-many-attempts',
};

async function refusable<T>(what: string, call: () => Promise<T>): Promise<T | SignInRefusal> {
  return asking(what, async () => {
    try {
      return await call();
    } catch (error) {
      const reason = REFUSALS[(error as Error).name];
      if (reason === undefined) throw error;
      // Of the many things Cognito calls so, only this one is worth beginning again for.
      return reason === 'not-authorized' && /session/i.test((error as Error).message) ? 'expired' : reason;
    }
  });
}

/** Sign-ins at the client `clientId`. */
export function staffPool(client: CognitoIdentityProviderClient, clientId: string): StaffPool {
  const step = async (what: string, call: () => Promise<InitiateAuthCommandOutput | RespondToAuthChallengeCommandOutput>): Promise<SignInStep> => {
    const answer = await refusable(what, call);
    if (typeof answer === 'string') return { step: 'refused', reason: answer };
    const { AuthenticationResult, ChallengeName, Session, ChallengeParameters } = answer;
    if (ChallengeName !== undefined) return { step: 'challenge', name: ChallengeName, session: Session, parameters: ChallengeParameters ?? {} };
    return tokensOf(AuthenticationResult);
  };
  return {
    begin: (userName, srpA) => step('begin to sign in', () => client.send(new InitiateAuthCommand({ ClientId: clientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME: userName, SRP_A: srpA } }))),
    answer: (challenge, session, responses) => step('go on signing in', () => client.send(new RespondToAuthChallengeCommand({ ClientId: clientId, ChallengeName: challenge, Session: session, ChallengeResponses: { ...responses } }))),
    async newTotpSecret(proof) {
      const { SecretCode = '', Session } = await asking('get a TOTP secret', () => client.send(new AssociateSoftwareTokenCommand('session' in proof ? { Session: proof.session } : { AccessToken: proof.accessToken })));
      return { secret: SecretCode, session: Session };
    },
    async verifyTotp(proof, code) {
      const answer = await refusable('verify a TOTP code', () => client.send(new VerifySoftwareTokenCommand({ ...('session' in proof ? { Session: proof.session } : { AccessToken: proof.accessToken }), UserCode: code })));
      if (typeof answer === 'string') return answer;
      return answer.Status === 'SUCCESS' ? { session: answer.Session } : 'wrong-code';
    },
    refresh: (refreshToken) => step('renew the session', () => client.send(new InitiateAuthCommand({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: refreshToken } }))),
    async revoke(refreshToken) {
      await asking('revoke the refresh token', () => client.send(new RevokeTokenCommand({ ClientId: clientId, Token: refreshToken })));
    },
  };
}

function tokensOf({ AccessToken, RefreshToken, ExpiresIn }: AuthenticationResultType = {}): SignInStep {
  // Neither a challenge nor a token: nothing that we know is going on.
  if (AccessToken === undefined) return { step: 'refused', reason: 'not-authorized' };
  return { step: 'tokens', tokens: { accessToken: AccessToken, ...(RefreshToken !== undefined && { refreshToken: RefreshToken }), expiresInSeconds: ExpiresIn ?? 0 } };
}
