/** Every 15 minutes: a record, so that sealing and publishing have something to do and silence means that something is broken. */
import { beat, makeHeart } from '../src/operations/beat';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { beatDeps } from '../src/runtime/wiring/watching';

const heart = makeHeart(beatDeps());

export const handler = scheduled('heartbeat', async () => ({ outcome: await beat(heart) }));
