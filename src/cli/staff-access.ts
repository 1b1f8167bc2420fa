/**
 * The API of staff as the command line reaches it: the pool to sign in at, the session that was begun last, one request with its token. A session lies in `.intact/`, readable by its owner
 * only; its refresh token is worth a working day, so it is written aside with its final mode and renamed, never widened afterwards.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROLES } from '../core/staff/actor';
import type { StaffPool } from '../ports/staff-pool';
import { Failure } from './failure';
import type { Answer } from './world';

const sessionShape = z.object({
  /** Of another cloud or stage: the session means nothing here. */
  clientId: z.string(),
  userName: z.string(),
  accessToken: z.string(),
  refreshToken: z.string(),
  /** RFC 3339 UTC. */
  expiresAt: z.string(),
});
export type StaffSession = z.infer<typeof sessionShape>;

const seededShape = z.object({
  userPoolId: z.string(),
  staff: z.array(z.object({ role: z.enum(ROLES), userName: z.string(), password: z.string(), totpSecret: z.string() })),
});
export type SeededOperator = z.infer<typeof seededShape>['staff'][number];

export interface StaffAccess {
  readonly poolId: string;
  readonly clientId: string;
  readonly pool: StaffPool;
  readonly sessions: SessionFile;
  /** The staff of the local cloud; on a stage there is none that a program could sign in as. */
  seeded(): Promise<readonly SeededOperator[]>;
  /** GET of a path of the API. Any answer is an answer. */
  get(path: string, accessToken: string): Promise<Answer>;
}

export interface SessionFile {
  /** `absent` also where it is of another deployment, or cannot be understood: signing in again makes a new one. */
  read(): Promise<StaffSession | 'absent'>;
  write(session: StaffSession): Promise<void>;
  remove(): Promise<void>;
}

/** `directory`: `.intact/`. One session a stage. */
export function sessionFile(directory: string, stage: string, clientId: string): SessionFile {
  const path = join(directory, `session-${stage}.json`);
  return {
    async read() {
      const session = sessionShape.safeParse(await jsonIn(path));
      return session.success && session.data.clientId === clientId ? session.data : 'absent';
    },
    async write(session) {
      const aside = `${path}.${process.pid}.new`;
      await rm(aside, { force: true }); // a mode is given to new files only
      await writeFile(aside, `${JSON.stringify(session, undefined, 2)}\n`, { mode: 0o600 });
      await rename(aside, path);
    },
    remove: () => rm(path, { force: true }),
  };
}

/** The seeded staff of the pool `poolId` in `file`. Throws Failure where they are not those of the running cloud. */
export async function seededStaff(file: string, poolId: string): Promise<readonly SeededOperator[]> {
  const seeded = seededShape.safeParse(await jsonIn(file));
  if (seeded.success && seeded.data.userPoolId === poolId) return seeded.data.staff;
  throw new Failure('no-target', `${file} does not hold the staff of the running cloud`, 'start it anew with npm start');
}

/** Undefined where there is no such file or it is no JSON; any other failure is thrown. */
async function jsonIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure('unreachable', `${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`, 'check who owns it', { cause: error });
  }
}
