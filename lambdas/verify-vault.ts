/** On a schedule: verifies the whole vault, its locks included, and makes records of what it found. In ranges where the log is too big for one function. */
import { verifyInParts } from '../src/operations/verify-in-parts';
import { verifyOnSchedule } from '../src/operations/verify-on-schedule';
import { wholeUpTo } from '../src/runtime/settings';
import { stepped } from '../src/runtime/stacks/stepped';
import { inPartsDeps } from '../src/runtime/wiring/in-parts';
import { verificationWatch } from '../src/runtime/wiring/watching';

const watch = verificationWatch();

export const handler = stepped('verify-vault', {
  whole: () => verifyOnSchedule(watch),
  parts: verifyInParts(watch, { wholeUpTo: wholeUpTo() }),
  deps: inPartsDeps(),
});
