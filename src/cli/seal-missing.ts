/** `intact seal-missing`: runs now what the schedule runs daily: seals states that the stream lost. Safe to repeat. */
import { sealMissing } from '../operations/seal-missing';
import type { Run } from './command';
import { printJson, printLine } from './io';
import { silentMeter } from './reading';
import { aligned, counted } from './text';

export const run: Run = async ({ flag, io, world }) => {
  const { records, log, vault, inbox, keys, kms, random } = await world.deployment();
  const outcome = await sealMissing({ records, log, vault, inbox, keys, keyService: kms, random, meter: silentMeter, now: world.now, sleep: io.sleep });
  if (flag('json')) printJson(io, outcome);
  else for (const line of aligned([['sealed now', counted(outcome.sealed)], ['waiting', `${counted(outcome.waiting)} (sealed once they were seen unsealed for 25 hours)`]])) printLine(io, line);
  return 0;
};
