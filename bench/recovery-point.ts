/**
 * `npm run bench -- recovery-point`: how old the newest record is that would be lost, were everything but the vault, or everything but its replica, gone this moment. Messages are sent at a
 * steady rate to the app as it is deployed locally; printed are the seconds from the answer 200 until the record can be restored from either. Takes the local cloud that runs, or one of its own
 * for as long as it lasts. `npm run bench -- recovery-point` takes a minute; with numbers behind, `npx tsx bench/recovery-point.ts <messages a second> <seconds>`, as long as one likes.
 */
import { inLocalCloud } from './in-local-cloud';

inLocalCloud('recovery-point-guest.ts');
