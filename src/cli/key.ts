/**
 * `intact key`: the log's public key, the one thing a verifier must not take from the vault it verifies. Read from the KMS, the only holder of the
 * private half, and compared with what the vault publishes.
 */
import { LogFormatError } from '../core/log/log-format-error';
import { parseKeyHistory } from '../core/log/log-vkeys';
import { formatVkey, sameKey, verifierKey } from '../core/log/vkey';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine, say } from './io';
import type { Deployment } from './world';

export const run: Run = async ({ flag, io, world }) => {
  const deployment = await world.deployment();
  const identity = await deployment.log.identity();
  if (identity === 'absent') throw new Failure('not-yet', 'the log has no name yet: it has not been initialized', 'deploy the stage, or wait until its first deployment is done');
  const signing = verifierKey(identity.origin, await deployment.signer.publicKey());
  const { keys, problem } = await published(deployment);
  const agrees = keys !== undefined && keys.length > 0 && sameKey(keys.at(-1) ?? signing, signing);
  if (flag('json')) printJson(io, { origin: identity.origin, vkey: formatVkey(signing), published: keys?.map(formatVkey) ?? null, agrees });
  else printLine(io, formatVkey(signing));
  if (agrees) {
    say(io, 'Keep this line where the log is not, on paper for instance, and give it to `npx intact verify --vkey`.');
    return 0;
  }
  say(io, problem ?? 'The vault publishes another key than the one that signs.');
  say(io, '  next: npx intact verify --vkey with the key you kept, and docs/runbook.md#seal-stopped');
  return 1;
};

async function published({ vault }: Deployment): Promise<{ readonly keys?: ReturnType<typeof parseKeyHistory>; readonly problem?: string }> {
  const bytes = await vault.get('log.vkeys');
  if (bytes === 'absent') return { problem: 'The vault publishes no keys yet (log.vkeys is missing); the first checkpoint brings them.' };
  try {
    return { keys: parseKeyHistory(bytes) };
  } catch (error) {
    if (error instanceof LogFormatError) return { problem: `log.vkeys of the vault cannot be read: ${error.message}` };
    throw error;
  }
}
