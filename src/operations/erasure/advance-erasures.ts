/**
 * Brings every confirmed erasure as far as it may go now; a schedule calls again every few minutes. The state lies in one record a customer; every step but freezing is one transaction that
 * checks that there is no hold, moves that record from the very state it was read in, and does its work: all or nothing, so whatever dies where, the next run finds either the state before or
 * the state behind, and two runs at once get in each other's way and nothing else. What is true at each crash point is a table in docs/decisions.
 */
import { createHash } from 'node:crypto';
import { frozenAlias, leadsToHolder } from '../../core/customer-aliases';
import { contentNamedBy } from '../../core/change-judgement';
import { certificateImage, erasureImage, holdIn, holdImage, isOpen, listingOf, nextStep, requestImage, requestIn, subjectsOf, waited, type ErasureRequest, type Hold } from '../../core/erasure';
import { integerOf, keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import { withMac, checkMac, type MacKey } from '../../core/record-mac';
import { recordKeys } from '../../core/table-keys';
import { isTombstone, tombstoneOf } from '../../core/tombstone';
import { LAST_ORDER, viewsErasedWith } from '../../core/views';
import { PortError, type Clock, type Inbox, type KeyService, type KeyTable, type LogStore, type Meter, type RecordStore, type RecordWrite, type Signer, type Vault, type ViewStore } from '../../ports';
import type { KeyErasure } from '../../ports/key-erasure';
import { inBatches } from '../in-batches';
import { inParallel } from '../in-parallel';
import { loadSecrets } from '../load-secrets';
import { rememberIdentity } from '../read-log';
import { aliasesOfCustomer, isProfile, keysOfErasure, standingInErasure } from './erasable-records';
import { linkedCustomers, type LinkedCustomers } from './linked-customers';
import { sealedErasure, type SealedErasure } from './sealed-removals';
import { askForRepairs, auditedSince, unremovedRecords, type LookDeps } from './unremoved-records';
import { FREEZE_WAIT_MS, QUIET_MS } from './waits';

export interface ErasureDeps {
  readonly records: Pick<RecordStore, 'get' | 'create' | 'transact' | 'partition' | 'ofCustomer'>;
  readonly keyErasure: KeyErasure;
  readonly keys: Pick<KeyTable, 'get' | 'getSecret'>;
  /** The same table as the second region has it, read there; absent where there is none. */
  readonly keysOffsite?: Pick<KeyTable, 'get'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  /** Whoever could plant a log of their own in the vault would otherwise be believed. */
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly inbox: Pick<Inbox, 'remove' | 'list'>;
  readonly views: Pick<ViewStore, 'remove' | 'partition'>;
  readonly log: Pick<LogStore, 'identity' | 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly repairRequests?: LookDeps['repairRequests'];
  /** How much of the log one run searches for what was not removed, in bundles. */
  readonly bundlesARun?: number;
  readonly meter: Meter;
  readonly now: Clock;
  readonly linked?: LinkedCustomers;
}

/** Why an erasure stands where it does. `running`: it went on and would go on further. `doubtful`: records that name the customer are not as we wrote them, the log holds some that were not removed, or the sealer found something just now. `delivery`: records of a delivery that is not done with. `region`: the second region still has a key. */
export type Waiting = 'running' | 'time' | 'hold' | 'doubtful' | 'delivery' | 'sealing' | 'region' | 'done';

export interface ErasureProgress {
  readonly requestId: string;
  readonly state: ErasureRequest['state'];
  readonly waiting: Waiting;
  /** Records this run made tombstones. */
  readonly removed: number;
}

/** Removals of one run: the others are the next one's. */
const MAX_REMOVALS_A_RUN = 4_000;
/** DynamoDB takes 100 actions: the request, the erasure, the holds, and the rest are removals, 97 for one customer. */
const ACTIONS = 100;
const AT_ONCE = 16;
/** States are few and each is one step, but a freeze that finds more begins again. */
const MAX_STEPS = 8;

interface Run {
  readonly deps: ErasureDeps;
  readonly macKeys: readonly [MacKey, ...MacKey[]];
  readonly systemSubject: string;
  readonly origin: string;
  /** Beginnings of the names of deliveries that are not done with, read once a run. */
  readonly deliveries: () => Promise<ReadonlySet<string>>;
  left: number;
}

/** One run. One erasure that cannot go on leaves the others alone; the first failure is thrown when all were tried. Throws `PortError`, `ReplayError`, `LogStopped`. */
export async function advanceErasures(deps: ErasureDeps): Promise<readonly ErasureProgress[]> {
  const run = await startRun(deps);
  const [progress, failures] = [[] as ErasureProgress[], [] as unknown[]];
  let oldest = 0;
  for await (const image of deps.records.partition(recordKeys.erasureRequest('').pk)) {
    try {
      const request = genuineRequest(run, image);
      if (request.state === 'done') await keepErased(run, request);
      if (!isOpen(request) || request.state === 'asked') continue;
      const reached = await advance(run, request);
      progress.push(reached);
      if (reached.waiting !== 'done' && reached.waiting !== 'hold') oldest = Math.max(oldest, ageOf(deps, request));
    } catch (error) {
      failures.push(error);
      oldest = Math.max(oldest, ageOf(deps, requestIn(image)));
    }
  }
  deps.meter.gauge('ErasureAge', oldest / 1000, 'Seconds');
  if (failures.length > 0) throw failures[0];
  return progress;
}

const ageOf = ({ now }: Pick<ErasureDeps, 'now'>, request: ErasureRequest | undefined): number => (request?.confirmedAt === undefined ? 0 : Math.max(0, now().getTime() - Date.parse(request.confirmedAt)));

async function startRun(deps: ErasureDeps): Promise<Run> {
  const [macKeys, { systemSubject, origin }] = [await loadSecrets(deps).macKeys(), await rememberIdentity(deps.log)()];
  let deliveries: Promise<ReadonlySet<string>> | undefined;
  return { deps, macKeys, systemSubject, origin, deliveries: () => (deliveries ??= waitingDeliveries(deps.inbox)), left: MAX_REMOVALS_A_RUN };
}

function genuine(run: Pick<Run, 'macKeys' | 'deps'>, image: Image): Image {
  if (checkMac(run.macKeys, image) === 'valid') return image;
  run.deps.meter.count('RecordMacInvalid');
  throw new PortError('corrupt', `${stringOf(image, 'pk')} / ${stringOf(image, 'sk')} was not written by us: the erasure waits until the table audit has put it right`);
}

function genuineRequest(run: Run, image: Image): ErasureRequest {
  const request = requestIn(genuine(run, image));
  if (request === undefined) throw new PortError('corrupt', `${stringOf(image, 'pk')} / ${stringOf(image, 'sk')} is no erasure request`);
  return request;
}

/** Each erasure's turn comes once a day. */
const TURN_MS = 5 * 60_000;
const TURNS = 86_400_000 / TURN_MS;

/**
 * A keys table, or rows of it, that is brought back from a backup brings back keys that were taken. Whoever certified that they are gone takes them again, and what came too late, once a day for each erasure and for as long as there is
 * the request: a restored table has backups of its own, so no day is the last one. No hold can be in the way, for none can be placed any more.
 */
async function keepErased(run: Run, request: ErasureRequest): Promise<void> {
  if (Number.parseInt(createHash('sha256').update(request.requestId).digest('hex').slice(0, 8), 16) % TURNS !== Math.floor(run.deps.now().getTime() / TURN_MS) % TURNS) return;
  await takeAgain(run, request);
  // What somebody wrote under the subject when the key was gone, or the index did not show yet when it was looked for the last time.
  await sweep(run, request, []);
}

/** Whether there was anything to take. No key that was taken may be there: somebody brought back the keys table, or rows of it. */
async function takeAgain({ deps, systemSubject }: Run, request: ErasureRequest): Promise<boolean> {
  const subjects = subjectsOf(request).filter((subject) => subject !== systemSubject);
  const there = await notErased(deps.keys, subjects);
  if (there.length === 0) return false;
  const outcome = await deps.keyErasure.erase(there, deps.now().toISOString(), [{ op: 'check-rev', key: recordKeys.erasureRequest(request.customerId), ifRev: request.rev }], []);
  if (outcome === 'done') deps.meter.count('KeysErasedAgain', there.length);
  return true;
}

const notErased = async (keys: Pick<KeyTable, 'get'>, subjects: readonly string[]): Promise<readonly string[]> =>
  (await inParallel(subjects, AT_ONCE, async (subject) => ((await keys.get(subject)) === 'erased' ? [] : [subject]))).flat();

/** What one step came to: the request as it is now, or why it does not go on. */
type Outcome = { readonly request: ErasureRequest; readonly waiting?: Waiting };

async function advance(run: Run, first: ErasureRequest): Promise<ErasureProgress> {
  const left = run.left;
  let outcome: Outcome = { request: first };
  for (let step = 0; step < MAX_STEPS && outcome.waiting === undefined; step++) outcome = await take(run, outcome.request);
  const { request, waiting = 'running' } = outcome;
  return { requestId: request.requestId, state: request.state, waiting, removed: left - run.left };
}

async function take(run: Run, request: ErasureRequest): Promise<Outcome> {
  const next = nextStep(request, run.deps.now().getTime(), { freezeMs: FREEZE_WAIT_MS });
  if (next.step === 'none') return { request, waiting: request.state === 'done' ? 'done' : 'time' };
  // The keys are gone: nothing is left that a hold could keep.
  if (next.step === 'certify') return certify(run, request);
  const holds = await holdsOf(run, request);
  if (holds.some(({ held }) => held)) return { request, waiting: 'hold' };
  const noHold = holds.map(({ key, rev }): RecordWrite => ({ op: 'check-rev', key, ifRev: rev }));
  switch (next.step) {
    case 'freeze':
      return freeze(run, request, noHold);
    case 'record':
      return record(run, request, noHold);
    case 'remove':
      return remove(run, request, noHold);
  }
}

interface KnownHold extends Pick<Hold, 'held' | 'rev'> {
  readonly key: TableKey;
}

/** Of every customer that goes; made `held: false` where nobody ever placed one, so that a condition can name it: an officer who places one then changes what the condition names. */
function holdsOf(run: Run, { customers, askedBy }: ErasureRequest): Promise<readonly KnownHold[]> {
  const { deps, macKeys, systemSubject } = run;
  return inParallel(customers, AT_ONCE, async ({ customerId }) => {
    const key = recordKeys.hold(customerId);
    let image = await deps.records.get(key, { consistent: true });
    if (image === 'absent') {
      const none = withMac(macKeys[0], holdImage(customerId, { rev: 1, held: false, by: askedBy, at: deps.now().toISOString() }, systemSubject));
      const outcome = await deps.records.create(none);
      image = outcome === 'created' ? none : outcome.exists;
    }
    const hold = holdIn(genuine(run, image));
    if (hold === undefined) throw new PortError('corrupt', `${key.pk} / ${key.sk} is no hold: nothing is erased before somebody has looked`);
    return { key, held: hold.held, rev: hold.rev };
  });
}

/** The request moves from the state it was read in, together with `writes` and while there is no hold. 'lost': one of the conditions failed; the next run reads anew. */
async function move(run: Run, request: ErasureRequest, change: Partial<ErasureRequest>, writes: readonly RecordWrite[], at: string, through: Pick<RecordStore, 'transact'> = run.deps.records): Promise<ErasureRequest | 'lost'> {
  const { macKeys, systemSubject } = run;
  const moved: ErasureRequest = { ...request, ...change, rev: request.rev + 1 };
  const all: RecordWrite[] = [{ op: 'replace', image: withMac(macKeys[0], requestImage(moved, systemSubject, at)), ifRev: request.rev }, ...writes];
  return (await through.transact(all)) === 'done' ? moved : 'lost';
}

/** After a lost condition: what is there now, and whether it is a hold that did it. */
async function again(run: Run, request: ErasureRequest): Promise<Outcome> {
  const image = await run.deps.records.get(recordKeys.erasureRequest(request.customerId), { consistent: true });
  return { request: image === 'absent' ? request : genuineRequest(run, image), waiting: 'running' };
}

const after = (run: Run, request: ErasureRequest, moved: ErasureRequest | 'lost', waiting?: Waiting): Promise<Outcome> | Outcome => (moved === 'lost' ? again(run, request) : { request: moved, ...(waiting !== undefined && { waiting }) });

/**
 * Later events find their aliases frozen and go to a new customer under a new subject. Died within: some aliases are frozen, and the next run freezes the others; the time counts from the moment
 * when all were.
 */
async function freeze(run: Run, request: ErasureRequest, noHold: readonly RecordWrite[]): Promise<Outcome> {
  const frozen = await freezeAliases(run, request, noHold);
  if (frozen === 'lost') return again(run, request);
  const at = run.deps.now().toISOString();
  return after(run, request, await move(run, request, { state: 'frozen', frozenAt: at }, noHold, at));
}

/** How many had not been. */
async function freezeAliases({ deps, macKeys, systemSubject }: Run, { customers }: ErasureRequest, noHold: readonly RecordWrite[]): Promise<number | 'lost'> {
  let frozen = 0;
  for (const { customerId, subject } of customers) {
    for await (const image of aliasesOfCustomer(deps, customerId)) {
      // One that is not ours decides nothing for receivers either, and is met again among the records to remove.
      if (!leadsToHolder(image) || stringOf(image, 'subject') !== subject || subject === systemSubject || checkMac(macKeys, image) !== 'valid') continue;
      const next = withMac(macKeys[0], frozenAlias(image, deps.now().toISOString()));
      if ((await deps.records.transact([{ op: 'replace', image: next, ifRev: integerOf(image, 'rev') ?? 0 }, ...noHold])) !== 'done') return 'lost';
      frozen += 1;
    }
  }
  return frozen;
}

/** The wait is over: what there is is listed, and the erasure recorded. Whoever is linked with the customer since, or got an alias late, begins the freeze anew. */
async function record(run: Run, request: ErasureRequest, noHold: readonly RecordWrite[]): Promise<Outcome> {
  const { deps, macKeys, systemSubject } = run;
  const customers = await customersOf(run, request);
  const at = deps.now().toISOString();
  if (customers !== undefined) return after(run, request, await move(run, request, { state: 'confirmed', customers }, noHold, at));
  const frozen = await freezeAliases(run, request, noHold);
  if (frozen === 'lost') return again(run, request);
  const now = deps.now().toISOString();
  if (frozen > 0) return after(run, request, await move(run, request, { frozenAt: now }, noHold, now));
  const keys: TableKey[] = [];
  for await (const key of keysOfErasure(deps, request)) keys.push(key);
  const erasure = withMac(macKeys[0], erasureImage(request, listingOf(keys), systemSubject, now));
  return after(run, request, await move(run, request, { state: 'removing', recordedAt: now }, [...noHold, { op: 'create', image: erasure }], now));
}

/** The customers that go, where they are others than the request says. */
async function customersOf({ deps, macKeys, ...run }: Run, request: ErasureRequest): Promise<ErasureRequest['customers'] | undefined> {
  const known = new Set(request.customers.map(({ customerId }) => customerId));
  const others = (await (deps.linked ?? linkedCustomers({ records: deps.records, macKeys }))(request.customerId)).filter((customerId) => !known.has(customerId));
  if (others.length === 0) return undefined;
  const more = await inParallel(others, AT_ONCE, async (customerId) => {
    const image = await deps.records.get(recordKeys.customer(customerId), { consistent: true });
    if (image === 'absent' || isTombstone(image)) return [];
    return [{ customerId, subject: stringOf(genuine({ deps, macKeys, ...run }, image), 'subject') ?? '' }];
  });
  const found = more.flat();
  return found.length === 0 ? undefined : [...request.customers, ...found];
}

/** One look at everything that is left, and its removal; when twice nothing was left, the keys. */
async function remove(run: Run, request: ErasureRequest, noHold: readonly RecordWrite[]): Promise<Outcome> {
  // A body goes before its record, so nothing goes while the sealer stands still: a hold has to find all of it in the log.
  if (request.removed === 0 && request.quietSince === undefined && !(await sealedOf(run, request)).isPermitted) return { request, waiting: 'sealing' };
  const swept = await sweep(run, request, noHold);
  if (swept.outcome !== 'empty') return swept.outcome === 'lost' ? again(run, swept.request) : { request: swept.request, waiting: swept.outcome };
  const at = run.deps.now().toISOString();
  const { quietSince } = swept.request;
  if (quietSince === undefined) return after(run, swept.request, await move(run, swept.request, { quietSince: at }, noHold, at), 'time');
  if (!waited(quietSince, QUIET_MS, Date.parse(at))) return { request: swept.request, waiting: 'time' };
  return removeKeys(run, swept.request, noHold);
}

/**
 * The log holds every removal, and nothing came for longer than anybody writes: the keys go, while there is no hold, in one transaction with the state that says so. Died before it: nothing
 * happened. Died behind it: what is left is the certificate.
 */
async function removeKeys(run: Run, request: ErasureRequest, noHold: readonly RecordWrite[]): Promise<Outcome> {
  const { deps } = run;
  const subjects = subjectsOf(request);
  if (subjects.includes(run.systemSubject)) throw new PortError('corrupt', "an erasure names the log's own subject: nothing is erased before somebody has looked");
  const sealed = await sealedOf(run, request);
  const { removals, alone, foundAt } = sealed;
  if (removals + alone < request.removed) return { request, waiting: 'sealing' };
  const at = deps.now().toISOString();
  // Somebody is at the table by hand. What of it says that there is no hold may be a state of long ago that they put back, genuine but for its time: nothing that cannot be undone is done meanwhile.
  if (foundAt >= (request.quietSince ?? '')) return after(run, request, await move(run, request, { quietSince: at }, noHold, at), 'doubtful');
  const search = await searchLog(run, request, sealed);
  if (search !== 'nothing-left') return search.found === undefined ? { request, waiting: 'doubtful' } : after(run, request, await move(run, request, { searched: search.found }, noHold, at), search.waiting);
  const { pk, sk } = recordKeys.erasure(request.requestId);
  const isRecorded: RecordWrite = { op: 'check-rev', key: { pk, sk }, ifRev: 1 };
  const { searched: _, ...rest } = request;
  let isHeld = false;
  const transact = async (writes: readonly RecordWrite[]): ReturnType<RecordStore['transact']> => {
    const outcome = await deps.keyErasure.erase(subjects, at, writes, request.customers.map(({ subject }) => subject));
    isHeld = outcome === 'held';
    return outcome === 'held' ? { refused: [] } : outcome;
  };
  const moved = await move(run, rest, { state: 'keyed', keyedAt: at }, [...noHold, isRecorded], at, { transact });
  // Beside the keys it says that there is a hold, and the records say that there is none: one was placed just now, or somebody put back what the records said at another time.
  return isHeld ? { request, waiting: 'doubtful' } : after(run, request, moved);
}

/** Nothing that was ever sealed under the subjects is left but what an audit found to be nowhere. Otherwise repairs are asked for, and the erasure waits. `found`: how far the search came, where it came further. */
async function searchLog(run: Run, request: ErasureRequest, sealed: SealedErasure): Promise<'nothing-left' | { readonly found?: NonNullable<ErasureRequest['searched']>; readonly waiting: Waiting }> {
  const { deps, macKeys } = run;
  const subjects = subjectsOf(request);
  if (await auditedSince(deps, request.quietSince ?? '', subjects, macKeys)) return 'nothing-left';
  const { searched, isWhole, left } = await unremovedRecords(deps.log, request, sealed, new Set(subjects), deps.bundlesARun);
  if (isWhole && left.length === 0) return 'nothing-left';
  await askForRepairs(deps, left, macKeys);
  return { waiting: left.length > 0 ? 'doubtful' : 'running', ...(searched.to !== request.searched?.to && { found: { to: searched.to, open: [...searched.open].map(([id, src]) => `${id} ${src}`) } }) };
}

const sealedOf = ({ deps, origin }: Run, request: ErasureRequest): Promise<SealedErasure> => sealedErasure({ ...deps, origin }, request.recordedAt ?? request.askedAt, new Set(subjectsOf(request)));

/** Looks once more, at the table and at the keys in both regions, and certifies what it finds to be so. */
async function certify(run: Run, request: ErasureRequest): Promise<Outcome> {
  const { deps, macKeys, systemSubject } = run;
  if (await takeAgain(run, request)) return again(run, request);
  // The second region follows by itself, within seconds as a rule. Until its own row is empty somebody could still unwrap the key there, and its backups go on holding it.
  if (deps.keysOffsite !== undefined && (await notErased(deps.keysOffsite, subjectsOf(request))).length > 0) return { request, waiting: 'region' };
  const swept = await sweep(run, request, []);
  if (swept.outcome !== 'empty') return swept.outcome === 'lost' ? again(run, swept.request) : { request: swept.request, waiting: swept.outcome };
  for (const { customerId } of request.customers) await removeViews(deps, await viewKeysUnder(deps, recordKeys.customer(customerId).pk));
  const at = deps.now().toISOString();
  const certificate = withMac(macKeys[0], certificateImage(swept.request, systemSubject, at));
  const moved = await move(run, swept.request, { state: 'done', doneAt: at }, [{ op: 'create', image: certificate }], at);
  if (moved !== 'lost') deps.meter.count('ErasuresCompleted');
  return after(run, swept.request, moved, 'done');
}

/** `outcome`: `empty`: nothing is left to remove. Otherwise what the erasure waits for; `running`: it removed what it found, or as much as one run does. */
interface Swept {
  readonly request: ErasureRequest;
  readonly outcome: 'empty' | 'lost' | Extract<Waiting, 'running' | 'doubtful' | 'delivery'>;
}

async function sweep(run: Run, first: ErasureRequest, noHold: readonly RecordWrite[]): Promise<Swept> {
  const { deps } = run;
  const subjects = new Set(subjectsOf(first));
  const [profiles, seen] = [[] as Image[], { doubtful: 0, delivery: 0, found: 0 }];
  let request = first;
  let batch: Image[] = [];
  const room = ACTIONS - 2 - noHold.length;
  /** False: a condition failed. */
  const flush = async (): Promise<boolean> => {
    const images = batch.splice(0);
    if (images.length === 0) return true;
    const moved = await removeRecords(run, request, images, noHold);
    if (moved === 'lost') return false;
    request = moved;
    run.left -= images.length;
    return true;
  };
  for await (const some of inBatches(keysOfErasure(deps, first), AT_ONCE)) {
    const images = await inParallel(some, AT_ONCE, (key) => deps.records.get(key, { consistent: true }));
    for (const image of images) {
      const standing = image === 'absent' ? 'kept' : standingInErasure(image, first, subjects, run.systemSubject, run.macKeys);
      if (image === 'absent' || standing === 'kept') continue;
      if (standing === 'doubtful') seen.doubtful += 1;
      else if (await isOfWaitingDelivery(run, image)) seen.delivery += 1;
      else if (isProfile(image)) profiles.push(image);
      else {
        seen.found += 1;
        batch.push(image);
      }
      if (batch.length >= room && !(await flush())) return { request, outcome: 'lost' };
    }
    if (run.left <= batch.length) break;
  }
  const isWhole = run.left > batch.length;
  if (!(await flush())) return { request, outcome: 'lost' };
  if (seen.doubtful > 0) return { request, outcome: 'doubtful' };
  if (seen.delivery > 0) return { request, outcome: 'delivery' };
  if (seen.found > 0 || !isWhole) return { request, outcome: 'running' };
  if (profiles.length === 0) return { request, outcome: 'empty' };
  batch = profiles;
  return { request, outcome: (await flush()) ? 'running' : 'lost' };
}

/**
 * Bodies first: their names are known from the records alone. Died in between: the record is there, names a body that is gone, and is removed by the next run; the vault has the body as long as the
 * key, so even a hold that comes now loses nothing.
 */
async function removeRecords(run: Run, request: ErasureRequest, images: readonly Image[], noHold: readonly RecordWrite[]): Promise<ErasureRequest | 'lost'> {
  const { deps, macKeys, systemSubject } = run;
  const at = deps.now().toISOString();
  const { quietSince: _, ...rest } = request;
  // Of the erasure, not of this moment: of a record that somebody puts back and that is removed again, the tombstone is the very one that is sealed already.
  const since = request.recordedAt ?? request.askedAt;
  const tombstones = images.map((image): RecordWrite => ({ op: 'replace', image: withMac(macKeys[0], tombstoneOf(image, request.requestId, systemSubject, since)), ifRev: integerOf(image, 'rev') ?? 0 }));
  const { pk, sk } = recordKeys.erasure(request.requestId);
  await inParallel(images, AT_ONCE, async (image) => {
    const content = contentNamedBy(image);
    if (content !== undefined && CONTENT_NAME.test(content.name)) await deps.inbox.remove(content.name);
    await removeViews(deps, viewsErasedWith(image));
  });
  const moved = await move(run, rest, { removed: request.removed + images.length }, [...noHold, { op: 'check-rev', key: { pk, sk }, ifRev: 1 }, ...tombstones], at);
  if (moved !== 'lost') deps.meter.count('RecordsErased', images.length);
  return moved;
}

const CONTENT_NAME = /^content\/[A-Za-z0-9_-]{1,100}$/;

async function removeViews({ views }: Pick<ErasureDeps, 'views'>, keys: readonly TableKey[]): Promise<void> {
  for (const key of keys) await views.remove(key, LAST_ORDER);
}

async function viewKeysUnder({ views }: Pick<ErasureDeps, 'views'>, pk: string): Promise<readonly TableKey[]> {
  const keys: TableKey[] = [];
  for await (const view of views.partition(pk)) keys.push(keyOf(view));
  return keys;
}

/**
 * A delivery that still lies in the inbox holds the bytes, and is not done with: others' events may be in it. process-inbox removes it once all of it is recorded; the record waits for that, or
 * nothing would tell any more that they belong together.
 */
async function isOfWaitingDelivery({ deliveries }: Run, image: Image): Promise<boolean> {
  const deliveryId = stringOf(image, 'deliveryId');
  return deliveryId !== undefined && (await deliveries()).has(deliveryId);
}

async function waitingDeliveries({ list }: Pick<Inbox, 'list'>): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  // `delivery/<SHA-256 of the body, hex>.…`; a record has the first 16 bytes of it.
  for await (const { name } of list('delivery/')) ids.add(Buffer.from(name.slice('delivery/'.length, 'delivery/'.length + 32), 'hex').toString('base64url'));
  return ids;
}
