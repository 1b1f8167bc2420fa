/** `intact logout`: ends the session in the pool, then here. In this order: a session that is forgotten but not ended would be one that nobody can end. */
import type { Run } from './command';
import { printJson, say } from './io';
import { staffOf } from './signed-in';

export const run: Run = async ({ flag, io, world }) => {
  const staff = staffOf(await world.deployment());
  const session = await staff.sessions.read();
  if (session !== 'absent') {
    await staff.pool.revoke(session.refreshToken);
    await staff.sessions.remove();
  }
  if (flag('json')) printJson(io, { signedOut: session === 'absent' ? null : session.userName });
  else say(io, session === 'absent' ? 'Nobody was signed in here.' : `${session.userName} is signed out. A token already issued is accepted until it ends, at most 15 minutes after it was made.`);
  return 0;
};
