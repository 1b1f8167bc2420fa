/** On a schedule: seals what the stream lost, once it is certain that no stream will deliver it any more. */
import { sealMissing } from '../src/operations/seal-missing';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { sealDeps } from '../src/runtime/wiring/sealing';

const deps = sealDeps();

export const handler = scheduled('seal-missing', () => sealMissing(deps));
