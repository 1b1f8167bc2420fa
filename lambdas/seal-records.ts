/** The records table's stream: seals every change of every record, whoever made it. */
import { makeSealer, sealRecords } from '../src/operations/seal-records';
import { streamBatch } from '../src/runtime/stacks/stream';
import { sealDeps } from '../src/runtime/wiring/sealing';

const sealer = makeSealer(sealDeps());

export const handler = streamBatch('seal-records', (events) => sealRecords(sealer, events));
