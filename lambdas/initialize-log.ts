/** A step of every deployment: makes the secrets, the name and the empty head of the log, once; afterwards it finds them and changes nothing. */
import { initializeLog } from '../src/operations/initialize-log';
import { customResource } from '../src/runtime/stacks/custom-resource';
import { initializeDeps } from '../src/runtime/wiring/sealing';

const deps = initializeDeps();

export const handler = customResource('initialize-log', async ({ OriginPrefix: prefix }) => {
  if (typeof prefix !== 'string' || prefix === '') return { ok: false, reason: 'the property OriginPrefix is missing' };
  const { origin } = await initializeLog(deps, prefix);
  // The origin is in every checkpoint ever signed. Another one is another log, in another vault.
  if (!origin.startsWith(`${prefix}/`)) return { ok: false, reason: `this log is ${origin} for ever: set the stage's origin prefix back, or deploy a new vault` };
  return { ok: true, data: { Origin: origin } };
});
