/** `intact me`: who is signed in, as the API itself says. */
import type { Run } from './command';
import { printJson, printLine } from './io';
import { accessToken, staffOf, whoami } from './signed-in';

export const run: Run = async ({ flag, io, world }) => {
  const staff = staffOf(await world.deployment());
  const identity = await whoami(staff, await accessToken(staff, world.now));
  if (flag('json')) printJson(io, identity);
  else printLine(io, `${identity.name}, ${identity.role}; signed in at ${identity.signedInAt}, operator ${identity.operatorId}`);
  return 0;
};
