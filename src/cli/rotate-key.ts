/** `intact rotate-key`: lets the signing key vouch for its successor in log.vkeys. Who pinned the old key follows; deploying the new one comes after. */
import { rotateVerifierKey } from '../operations/rotate-verifier-key';
import type { Run } from './command';
import { confirmed } from './confirmation';
import { Failure } from './failure';
import { printJson, printLine, say } from './io';

export const run: Run = async (call) => {
  const { flag, io, world, text } = call;
  const to = text('to-key');
  if (to === undefined) throw new Failure('usage', 'rotate-key needs --to-key <arn of the new KMS key>', 'npx intact help rotate-key');
  const { log, vault, signer, signerOf } = await world.deployment();
  const identity = await log.identity();
  if (identity === 'absent') throw new Failure('not-yet', 'the log has no identity yet: it has not been initialized');
  await confirmed(call, identity.origin, `This lets the signing key of ${identity.origin} vouch for ${to}, for ever`);
  const { outcome, vkey } = await rotateVerifierKey({ log, vault, current: signer, next: signerOf(to) });
  if (flag('json')) printJson(io, { outcome, vkey });
  else printLine(io, vkey);
  say(io, outcome === 'rotated' ? 'log.vkeys names the new key, vouched for by the old one.' : 'log.vkeys named this key already; nothing to do.');
  say(io, '  next: deploy the stage with the new key, then hand the new line to whoever verifies; the old line stays good.');
  return 0;
};
