/** The records table's stream again: keeps conversation summaries and counters, which are derived and may be rebuilt. */
import { projectViews } from '../src/operations/project-views';
import { streamBatch } from '../src/runtime/stacks/stream';
import { projectDeps } from '../src/runtime/wiring/projecting';

const deps = projectDeps();

export const handler = streamBatch('project-views', (events) => projectViews(deps, events));
