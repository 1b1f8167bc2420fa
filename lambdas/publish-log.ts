/** The head's stream: brings tiles, bundles and the signed checkpoint up to the head. What the events say does not matter, only that there are some. */
import { makePublisher, publishLog } from '../src/operations/publish-log';
import { streamBatch } from '../src/runtime/stacks/stream';
import { publishDeps } from '../src/runtime/wiring/sealing';

const publisher = makePublisher(publishDeps());

export const handler = streamBatch('publish-log', () => publishLog(publisher));
