/** Records the big deliveries that receive-webhook put to the inbox; each stays there until all of it is recorded. */
import { processInbox } from '../src/operations/process-inbox';
import { namesIn } from '../src/runtime/inbox-message';
import { queueBatch } from '../src/runtime/stacks/queue';
import { recordingDeps } from '../src/runtime/wiring/receiving';

const deps = recordingDeps();

export const handler = queueBatch('process-inbox', { read: namesIn, about: (name) => ({ object: name }) }, (name) => processInbox(deps, name));
