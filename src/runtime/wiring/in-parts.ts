/** What every function needs whose runs a state machine may do in parts. */
import { s3 } from '../../adapters/aws/s3';
import { s3Workings } from '../../adapters/aws/s3-workings';
import { loadSecrets } from '../../operations/load-secrets';
import type { InPartsDeps } from '../../operations/run-in-parts';
import { setting } from '../settings';
import { keyPorts, now } from './world';

export const inPartsDeps = (): InPartsDeps => ({ workings: s3Workings(s3(), setting('WORKINGS_BUCKET')), macKeys: loadSecrets(keyPorts()).macKeys, now });
