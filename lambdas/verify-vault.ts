/** On a schedule: verifies the whole vault, its locks included, and makes records of what it found. */
import { makeWatch, verifyOnSchedule } from '../src/operations/verify-on-schedule';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { verificationDeps } from '../src/runtime/wiring/watching';

const watch = makeWatch(verificationDeps());

export const handler = scheduled('verify-vault', () => verifyOnSchedule(watch));
