/**
 * The staff of a local cloud: one user of each role, with a password and an enrolled TOTP device, made through the calls an administrator and the users themselves would make. Where a real
 * pool asks for a device at the first sign-in, the emulator lets the user in without one; here it is enrolled then, so that every sign-in after that asks for its code.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { AdminAddUserToGroupCommand, AdminCreateUserCommand, AdminSetUserPasswordCommand, type CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { staffPool } from '../../src/adapters/operator/staff-pool';
import { ROLES, type Role } from '../../src/core/staff/actor';
import { base32Bytes, totp } from '../../src/core/staff/totp';
import { signIn } from '../../src/operations/staff/sign-in';

export interface SeededOperator {
  readonly role: Role;
  readonly userName: string;
  readonly password: string;
  /** Base32. */
  readonly totpSecret: string;
}

export interface SeededStaff {
  readonly userPoolId: string;
  readonly staff: readonly SeededOperator[];
}

export interface Pool {
  readonly userPoolId: string;
  readonly clientId: string;
}

/** Makes them and writes them to `file`, which only its owner can read; resolves a line each. */
export async function seedStaff(cognito: CognitoIdentityProviderClient, pool: Pool, file: string): Promise<readonly string[]> {
  const staff: SeededOperator[] = [];
  for (const role of ROLES) staff.push({ role, ...(await enrolled(cognito, pool, [role], role)) });
  writeStaff(file, { userPoolId: pool.userPoolId, staff });
  return staff.map(({ role, userName }) => `${userName} signs in as ${role}`);
}

/** A user with a password of their own choice, in these groups, who has signed in once and enrolled a device. */
export async function enrolled(cognito: CognitoIdentityProviderClient, { userPoolId, clientId }: Pool, groups: readonly string[], userName: string): Promise<Omit<SeededOperator, 'role'>> {
  const password = newPassword();
  await cognito.send(new AdminCreateUserCommand({ UserPoolId: userPoolId, Username: userName, MessageAction: 'SUPPRESS' }));
  await cognito.send(new AdminSetUserPasswordCommand({ UserPoolId: userPoolId, Username: userName, Password: password, Permanent: true }));
  for (const GroupName of groups) await cognito.send(new AdminAddUserToGroupCommand({ UserPoolId: userPoolId, Username: userName, GroupName }));
  const entry = staffPool(cognito, clientId);
  const unasked = (): Promise<never> => Promise.reject(new Error(`the pool asked ${userName} for something it should not ask at a first sign-in`));
  const first = await signIn({ pool: entry, poolId: userPoolId, random: randomBytes, now: () => new Date() }, { userName, password: async () => password, newPassword: unasked, enroll: unasked, code: unasked });
  if (first.outcome === 'refused') throw new Error(`the first sign-in of ${userName} was refused: ${first.reason}`);
  const { accessToken } = first.tokens;
  const { secret } = await entry.newTotpSecret({ accessToken });
  const verified = await entry.verifyTotp({ accessToken }, totp(base32Bytes(secret), new Date()));
  if (typeof verified === 'string') throw new Error(`the TOTP device of ${userName} was not accepted: ${verified}`);
  // The one sign-in without a code ends here.
  if (first.tokens.refreshToken !== undefined) await entry.revoke(first.tokens.refreshToken);
  return { userName, password, totpSecret: secret };
}

/** 24 characters, some of each class. */
function newPassword(): string {
  const classes = ['abcdefghijkmnopqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-_.!+'];
  return Array.from({ length: 24 }, (_, i) => classes[i % classes.length] ?? '').map((letters) => letters[randomInt(letters.length)]).join('');
}

/** Written aside with its final mode and renamed: nobody else sees it, not even half of it. */
function writeStaff(file: string, staff: SeededStaff): void {
  const aside = `${file}.new`;
  writeFileSync(aside, `${JSON.stringify(staff, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(aside, file);
}
