/** The ports of a deployment as the reading and recording operations take them. What a command counts is shown to its user, so no metric is written. */
import type { RecordingDeps } from '../operations/recording-run';
import { loadSecrets, type Secrets } from '../operations/load-secrets';
import type { Meter } from '../ports';
import type { Deployment, World } from './world';

export const silentMeter: Meter = { count: () => undefined, gauge: () => undefined };

export function readingDeps({ records, views, inbox, keys, kms }: Deployment): Pick<Deployment, 'records' | 'views' | 'inbox'> & { readonly keys: Secrets; readonly meter: Meter } {
  return { records, views, inbox, keys: loadSecrets({ keys, keyService: kms }), meter: silentMeter };
}

export function recordingDeps(deployment: Deployment, { now }: World): RecordingDeps {
  const secrets = loadSecrets({ keys: deployment.keys, keyService: deployment.kms });
  const { records, inbox, random } = deployment;
  return { records, inbox, random, now, meter: silentMeter, accounts: new Map(), keys: secrets };
}
