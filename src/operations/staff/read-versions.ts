/** The states a profile had, newest first, as far as they can be believed: every version is genuine, and each begins where the one before it ended, so none is missing in between. */
import { keyOf, type Image } from '../../core/image';
import { profileOf, revOf, type Profile } from '../../core/staff/profile';
import { follows, receivedVersion, versionOf, type Version } from '../../core/staff/version';
import { recordKeys } from '../../core/table-keys';
import { PortError, type RecordStore } from '../../ports';
import { isTombstone } from '../../core/tombstone';
import { BeingErased, type CustomerRoom } from './guarded';
import { ofOurForm } from './of-our-form';

export interface VersionDeps {
  readonly records: Pick<RecordStore, 'partition'>;
}

const PREFIX = 'version#';

/**
 * The versions of the room's customer with a revision of at most `upTo`, newest first; the last one is how receiving made the customer, where it did. `atOnce`: how many will be wanted,
 * so that no more are read. Throws `corrupt` where one is not ours or missing.
 */
export async function* versionsOf({ records }: VersionDeps, { customer, genuine }: Pick<CustomerRoom, 'customer' | 'genuine'>, { upTo = revOf(customer), atOnce }: { readonly upTo?: number; readonly atOnce?: number } = {}): AsyncGenerator<Version> {
  const { pk } = keyOf(customer);
  const before = recordKeys.version('', upTo + 1).sk;
  let later: Version | undefined;
  let read = 0;
  // One more than wanted: the oldest of them, too, has to begin where the one before it ended.
  for await (const image of records.partition(pk, PREFIX, { newestFirst: true, before, ...(atOnce !== undefined && { limit: atOnce + 1 }) })) {
    const version = believed(genuine(image));
    read += 1;
    if (later !== undefined) yield checked(later, version, pk);
    else if (upTo >= revOf(customer)) checkedNow(customer, version, pk);
    later = version;
  }
  if (atOnce !== undefined && read > atOnce) return; // the last one read was only to judge the one after it
  const first = receivedVersion(customer);
  if (later === undefined) {
    // No version: nobody of staff has changed this customer, or what says so has been taken away.
    if (upTo >= revOf(customer)) checkedNow(customer, first, pk);
    yield first;
    return;
  }
  yield checked(later, first, pk);
  if (later.rev > 1) yield first;
}

/** The state of the room's customer at revision `rev`, which was not there before the newest version up to it. */
export async function versionAt(deps: VersionDeps, room: CustomerRoom, rev: number): Promise<Version> {
  for await (const version of versionsOf(deps, room, { upTo: rev, atOnce: 1 })) return version;
  throw new PortError('corrupt', `customer ${keyOf(room.customer).pk} has no first state`);
}

/** The profile in a customer's record. Throws `corrupt` where it has another form than ours. */
export const profileIn = (customer: Image): Profile => ofOurForm(customer, profileOf);

function believed(image: Image): Version {
  if (isTombstone(image)) throw new BeingErased();
  return ofOurForm(image, versionOf);
}

function checked(later: Version, earlier: Version, pk: string): Version {
  if (follows(later, earlier)) return later;
  throw new PortError('corrupt', `between the versions ${earlier.rev} and ${later.rev} of ${pk} one is missing; the table audit finds and repairs it`);
}

function checkedNow(customer: Image, newest: Version, pk: string): void {
  if (follows({ ...newest, profile: profileIn(customer), changes: [] }, newest)) return;
  throw new PortError('corrupt', `the newest version of ${pk} is not the profile that its record holds (rev ${revOf(customer)}); the table audit finds and repairs it`);
}
