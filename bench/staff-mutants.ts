/** The named mutants of what staff do: policies, the API, search and messages, identity, erasure, and drills in shares. */
import type { Mutant } from './mutants';

/** A line that is gone. */
const NOTHING = '';

const POLICIES_AND_ACCESS: readonly Mutant[] = [
  { name: 'a policy gives sales what is not theirs', file: 'policies/never.cedar', find: 'unless { resource has owner && resource.owner == principal };', replace: 'unless { resource has owner };', tests: ['test/operations/staff/authorize.test.ts'] },
  { name: 'who asked for an erasure may confirm it', file: 'policies/never.cedar', find: 'unless { resource has askedBy && resource.askedBy != principal };', replace: 'unless { resource has askedBy };', tests: ['test/operations/staff/authorize.test.ts'] },
  { name: 'what cannot be decided is permitted', file: 'src/operations/staff/authorize.ts', find: "const UNDECIDED: Decision = { allowed: false, policies: ['error'] };", replace: "const UNDECIDED: Decision = { allowed: true, policies: ['error'] };", tests: ['test/operations/staff/authorize.test.ts'] },
  { name: 'a policy that fails is passed over', file: 'src/operations/staff/authorize.ts', find: "answer.type === 'failure' || answer.response.diagnostics.errors.length > 0", replace: "answer.type === 'failure'", tests: ['test/operations/staff/authorize.test.ts'] },
  { name: 'a read is answered and not written down', file: 'src/operations/staff/guarded.ts', find: "for (const access of accessesOf(gate, { outcome: 'done', ...tally(result.value) })) await putAccess(deps, access);", replace: NOTHING, tests: ['test/operations/staff/customers.test.ts'] },
  { name: 'a customer is read by whoever knows the id', file: 'src/operations/staff/guarded.ts', find: 'customer: isThere && decision.allowed ? customer : undefined', replace: 'customer: isThere ? customer : undefined' , tests: ['test/operations/staff/customers.test.ts', 'test/operations/staff/never-learns.test.ts', 'test/operations/staff/identity.test.ts'] },
];

const DRILL_SHARES: readonly Mutant[] = [
  { name: 'a share of a drill judges what another share knows', file: 'src/operations/run-drill.ts', find: 'if (image !== undefined && !isOf(share, image)) continue;', replace: NOTHING, tests: ['test/operations/drill-in-parts.test.ts'] },
  { name: 'a record that was put back under its own subject differs in the share of the other', file: 'src/operations/run-drill.ts', find: " || (live !== undefined && !isOf(share, live) && checkMac(macKeys, live) === 'valid')", replace: NOTHING, tests: ['test/operations/drill-in-parts.test.ts'] },
  { name: 'a share of a drill opens the whole log', file: 'src/operations/run-drill.ts', find: ', subjects: (subject: string) => isOfShare(subject, share) };', replace: ' };', tests: ['test/operations/drill-in-parts.test.ts'] },
];

const SEARCH_AND_MESSAGES: readonly Mutant[] = [
  {
    name: 'sales search among everybody’s customers',
    file: 'src/operations/staff/find-customers.ts',
    find: "if (!readsAll) return ownerId === undefined",
    replace: "if (!readsAll && ownerId !== undefined) return ownerId === undefined",
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'a customer found through the index is shown without asking the policies',
    file: 'src/operations/staff/find-customers.ts',
    find: "...(ownerId !== undefined && { ownerId }) }).allowed) return undefined;",
    replace: "...(ownerId !== undefined && { ownerId }) }).allowed && customerId === '') return undefined;",
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'what the index proposes is not held against the query',
    file: 'src/operations/staff/find-customers.ts',
    find: "(name === undefined || (profile.name !== undefined && nameAnswers(profile.name, name))) &&",
    replace: NOTHING,
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'a forged state of a customer changes the search index',
    file: 'src/operations/project-views.ts',
    find: "(image !== undefined && checkMac(macKeys, image) === 'valid' ? image : undefined);",
    replace: "(image !== undefined && checkMac(macKeys, image) !== 'missing' ? image : undefined);",
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'an older event brings back a row of the search index that is gone',
    file: 'src/core/staff/search-index.ts',
    find: "String(integerOf(image, 'rev') ?? 0).padStart(12, '0'));",
    replace: "'1');",
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'a view is placed whatever is there',
    file: 'src/adapters/aws/view-store.ts',
    find: "`${nothingStored} OR #order < :order`",
    replace: "`${nothingStored} OR #order <> :order`",
    tests: ['test/adapters/aws/dynamodb.test.ts'],
  },
  {
    name: 'terms of the search index are hashed without their type',
    file: 'src/core/staff/search-index.ts',
    find: "new Set(terms.map(({ type, value }) => hashed(dedupeKey, 'search', [type, value])));",
    replace: "new Set(terms.map(({ value }) => hashed(dedupeKey, 'search', [value])));",
    tests: ['test/operations/staff/search.test.ts'],
  },
  {
    name: 'a conversation shows records of others under the same message id',
    file: 'src/operations/staff/messages-of-customer.ts',
    find: "if (!customers.has(stringOf(image, 'customerId') ?? '')) continue;",
    replace: NOTHING,
    tests: ['test/operations/staff/messages.test.ts'],
  },
  {
    name: 'a conversation shows what others did about a message',
    file: 'src/operations/staff/messages-of-customer.ts',
    find: " && customers.has(stringOf(image, 'customerId') ?? '')) acts.push",
    replace: ") acts.push",
    tests: ['test/operations/staff/messages.test.ts'],
  },
  {
    name: 'a page of a conversation may end between messages of one millisecond and lose some',
    file: 'src/operations/staff/read-conversation.ts',
    find: "if (keys.length >= atLeast && keys.at(-1)!.receivedAt !== key.receivedAt) return",
    replace: "if (keys.length >= atLeast) return",
    tests: ['test/operations/staff/messages.test.ts'],
  },
  {
    name: 'the access record of a message repeats whatever stood in the path, which may be a phone number',
    file: 'src/operations/staff/read-message.ts',
    find: "customerId, ...(isHashedId(id) && { resourceId: id }) },",
    replace: "customerId, resourceId: id },",
    tests: ['test/operations/staff/messages.test.ts'],
  },
  {
    name: 'another content under a used message id passes for a duplicate',
    file: 'src/operations/staff/record-outbound.ts',
    find: "Buffer.from(event.digest, 'hex').equals(bytesOf(there, 'digest') ?? NOTHING)",
    replace: "event.digest.length === 64",
    tests: ['test/operations/staff/record-outbound.test.ts'],
  },
  {
    name: 'an erased outbound message can be recorded again',
    file: 'src/operations/staff/record-outbound.ts',
    find: "stringOf(there, 'kind') === 'tombstone' || ",
    replace: NOTHING,
    tests: ['test/operations/staff/record-outbound.test.ts'],
  },
  {
    name: 'a person’s token with the scope of a sending system passes for one',
    file: 'src/runtime/operator-claims.ts',
    find: "return username === undefined && groups === undefined && isText(sub)",
    replace: "return isText(sub)",
    tests: ['test/runtime/operator-claims.test.ts'],
  },
  {
    name: 'statuses of what was recorded late stay a gap',
    file: 'src/core/status-gaps.ts',
    find: "messages.set(message, CONTENT);",
    replace: "messages.set(message, messages.get(message) ?? CONTENT);",
    tests: ['test/core/status-gaps.test.ts'],
  },
];

const ERASURE: readonly Mutant[] = [
  { name: 'a tombstone is accepted without an erasure', file: 'src/operations/seal-changes.ts', find: 'if (permitsRemoval(image, subject, systemSubject, macKeys)) return { removed, tombstone, subject };\n  return undefined;', replace: 'if (permitsRemoval(image, subject, systemSubject, macKeys)) return { removed, tombstone, subject };\n  return { removed, tombstone, subject };', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'an erasure takes the records of everybody', file: 'src/core/erasure.ts', find: '    subjects.SS.includes(subject)\n', replace: '    subjects.SS.length > 0\n', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: "anybody's erasure record permits removals", file: 'src/core/erasure.ts', find: "checkMac(macKeys, image) === 'valid' &&\n    stringOf(image, 'kind') === 'erasure'", replace: "stringOf(image, 'kind') === 'erasure'", tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'one officer is enough for the sealer', file: 'src/core/erasure.ts', find: '    askedBy !== confirmedBy &&\n', replace: '', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'an officer confirms what they asked for', file: 'src/operations/staff/erasures.ts', find: "if (request.askedBy === actor.operatorId) return conflict('another officer", replace: "if (request.askedBy === '') return conflict('another officer", tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'a tombstone may hold what was said', file: 'src/core/tombstone.ts', find: 'Object.keys(image).every((name) => ATTRIBUTES.has(name)) &&', replace: '', tests: ['test/core/erasure.test.ts'] },
  { name: 'a tombstone lies under the subject whose key goes', file: 'src/operations/seal-changes.ts', find: 'rev: integerOf(tombstone, \'rev\') ?? 0, at, src }, own,', replace: "rev: integerOf(tombstone, 'rev') ?? 0, at, src }, typeof theirs === 'string' ? own : theirs,", tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'the log says nothing of a removal', file: 'src/operations/seal-changes.ts', find: 'return [...gone, left].map(({ entry }) => entry);', replace: 'return [left].map(({ entry }) => entry);', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'a replay gives the record and not its tombstone', file: 'src/operations/replay-log.ts', find: 'if (!this.isLater(index, entry.at)) this.tombstones.set', replace: 'if (index < 0) this.tombstones.set', tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'an earlier point forgets the tombstones', file: 'src/operations/replay-log.ts', find: "kind === 'tombstone' || ((at === undefined", replace: '((at === undefined', tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'a tombstone that is not sealed yet is a modified record', file: 'src/core/record-history.ts', find: "if (isTombstone(image) && !isTombstone(before)) return 'accepted';", replace: '', tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'what is put over a tombstone is sealed for ever', file: 'src/core/change-judgement.ts', find: '((isTombstone(before) && !isTombstone(image)) || ', replace: '(', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'a repair does not find a tombstone', file: 'src/operations/repair-record.ts', find: "subjects: [stringOf(live[i], 'subject') ?? '', systemSubject]", replace: "subjects: [stringOf(live[i], 'subject') ?? '']", tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'a tombstone that was put back is a state sealed twice', file: 'src/operations/log-inventory.ts', find: " && a.kind !== 'tombstone'", replace: '', tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'removals ask for no hold', file: 'src/operations/erasure/advance-erasures.ts', find: "[...noHold, { op: 'check-rev', key: { pk, sk }, ifRev: 1 }, ...tombstones]", replace: "[{ op: 'check-rev', key: { pk, sk }, ifRev: 1 }, ...tombstones]", tests: ['test/operations/erasure/interleavings.test.ts'] },
  { name: 'a hold is asked for in no step', file: 'src/operations/erasure/advance-erasures.ts', find: 'if (holds.some(({ held }) => held)) return', replace: "if (holds.some(({ rev }) => rev < 0)) return", tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'nobody is frozen', file: 'src/core/customer-aliases.ts', find: "if (stringOf(image, 'frozenAt') !== undefined || stringOf(", replace: "if (stringOf(image, 'frozenAt') === '' || stringOf(", tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'an erasure does not wait for writers', file: 'src/core/erasure.ts', find: 'return waited(request.frozenAt, freezeMs, nowMs) ?', replace: 'return waited(request.frozenAt, -1, nowMs) ?', tests: ['test/core/erasure.test.ts'] },
  { name: 'the key goes when nothing was found once', file: 'src/operations/erasure/advance-erasures.ts', find: 'if (!waited(quietSince, QUIET_MS, Date.parse(at))) return', replace: "if (quietSince === '') return", tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'the key goes before the log holds the removals', file: 'src/operations/erasure/advance-erasures.ts', find: "if (removals + alone < request.removed) return", replace: 'if (removals + alone < 0) return', tests: ['test/operations/erasure/sealing-behind.test.ts'] },
  { name: 'what is not genuine is removed', file: 'src/operations/erasure/erasable-records.ts', find: "if (checkMac(macKeys, image) !== 'valid') return 'doubtful';", replace: '', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'a delivery that is not done with is forgotten', file: 'src/operations/erasure/advance-erasures.ts', find: 'return deliveryId !== undefined && (await deliveries()).has(deliveryId);', replace: 'return deliveryId === undefined && (await deliveries()).has(deliveryId ?? \'\');', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'content stays in the inbox', file: 'src/operations/erasure/advance-erasures.ts', find: 'await deps.inbox.remove(content.name);', replace: 'await Promise.resolve(content.name);', tests: ['test/operations/erasure/advance-erasures.test.ts'] },
  { name: 'a variant goes with whoever has the name now', file: 'src/operations/record-event.ts', find: "if (kind === 'variant') return true;", replace: '', tests: ['test/operations/erasure/interleavings.test.ts'] },
  { name: 'a conflict of the same person goes with whoever has the name now', file: 'src/operations/record-event.ts', find: 'return old !== undefined && names.some(', replace: 'return old === undefined && names.some(', tests: ['test/operations/erasure/interleavings.test.ts'] },
  { name: 'a tombstone that is made again is another one', file: 'src/operations/erasure/advance-erasures.ts', find: 'const since = request.recordedAt ?? request.askedAt;', replace: 'const since = at;', tests: ['test/operations/erasure/afterwards.test.ts'] },
  { name: 'a key goes while the sealer finds something', file: 'src/operations/erasure/advance-erasures.ts', find: "if (foundAt >= (request.quietSince ?? ''))", replace: "if (foundAt > '9')", tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'only pairs count as removals', file: 'src/operations/erasure/sealed-removals.ts', find: 'if (subject === undefined) alone += 1;', replace: "if (subject === undefined) alone += src.startsWith('late:') ? 1 : 0;", tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'records go before the log holds their erasure', file: 'src/operations/erasure/advance-erasures.ts', find: '!(await sealedOf(run, request)).isPermitted', replace: 'false', tests: ['test/operations/erasure/sealing-behind.test.ts'] },
  { name: 'a restore waits for what is erased to be sealed', file: 'src/operations/restore-live.ts', find: '!isErasedState(genuine?.image, there, macKeys) && ', replace: '', tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'a repair waits for what is erased to be sealed', file: 'src/operations/repair-record.ts', find: 'isErasedState(genuine?.image, live, macKeys) ?', replace: 'false ?', tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'keys that come back stay', file: 'src/operations/erasure/advance-erasures.ts', find: "if (request.state === 'done') await keepErased(run, request);", replace: '', tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'evidence that was erased leaves its body again', file: 'src/operations/record-event.ts', find: "if (before !== 'absent') return", replace: "if (before === 'absent' && run.receivedAt === '') return", tests: ['test/operations/erasure/adversary.test.ts'] },
  { name: 'a merged customer cannot be held to the end', file: 'src/operations/staff/holds.ts', find: 'if (erasureId === undefined || own?.requestId === erasureId) return own;', replace: 'return own;', tests: ['test/operations/erasure/adversary.test.ts'] },
];

const IDENTITY: readonly Mutant[] = [
  { name: 'a receiver gives a name to a customer who is being merged away', file: 'src/core/customer-plan.ts', find: '(give.length > 0 || needsWrite(', replace: '(needsWrite(', tests: ['test/core/customer-plan.test.ts'] },
  { name: 'a name given while names are read is left behind by a merge', file: 'src/operations/staff/held-aliases.ts', find: 'if (after.length === links.length) return held;', replace: 'if (after.length >= links.length) return held;', tests: ['test/operations/staff/identity-histories.test.ts'] },
  { name: 'who is merged already is merged again', file: 'src/operations/staff/merge-customers.ts', find: " ?? (await mergedAway(deps, actor, 'MergeCustomers', room, absorbed))", replace: '', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'any number of customers is merged', file: 'src/operations/staff/merge-customers.ts', find: 'if (wholes.flat().length > MAX_TOGETHER)', replace: 'if (wholes.flat().length > 1_000)', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'undoing a merge takes back what was linked since', file: 'src/core/staff/identity.ts', find: 'state.merges?.at(-1) === mergeId', replace: 'state.merges?.at(-1) !== mergeId.slice(1)', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'a name goes on to the next merge and forgets the first', file: 'src/core/staff/identity.ts', find: 'merges: [...merges, mergeId]', replace: 'merges: [mergeId]', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'a name is taken from whoever has it', file: 'src/operations/staff/link-alias.ts', find: 'if (holderId !== from) return', replace: 'if (holderId === undefined && from !== undefined) return', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'names change hands while an erasure is open', file: 'src/operations/staff/identity-step.ts', find: "if (request !== undefined && isOpen(request)) return 'erasing';", replace: '', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'an erasure asked for in between is not seen', file: 'src/operations/staff/identity-step.ts', find: "checks.push(request === undefined ? { op: 'check-absent', key } : { op: 'check-rev', key, ifRev: request.rev });", replace: '', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'records that do not agree on who is merged are believed', file: 'src/operations/staff/merged-customers.ts', find: "if (mergedInto(merged) !== idOf(customer) || found.length >= MAX_TOGETHER) return 'disagree';", replace: '', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'the second customer has no line in the access log', file: 'src/operations/staff/guarded.ts', find: ', ...others.map((other) => accessOf({ ...shared, ...other, ...how }))];', replace: '];', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'the id of a customer whom the actor may not see is told', file: 'src/operations/staff/identity-step.ts', find: '.allowed ? `customer ${customerId}` : ', replace: '.policies !== undefined ? `customer ${customerId}` : ', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'a reader is shown who was merged, whoever that is', file: 'src/operations/staff/identity-of.ts', find: 'merged: merged.filter(mayRead).map(', replace: 'merged: merged.map(', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'a name that was taken away still leads to its holder', file: 'src/core/customer-aliases.ts', find: " || stringOf(image, 'unlinkedAt') !== undefined) return options.firstOnly", replace: ') return options.firstOnly', tests: ['test/operations/staff/identity.test.ts'] },
  { name: 'a receiver that writes an alias forgets by which merge it came', file: 'src/core/customer-aliases.ts', find: '    ...(merges.length > 0 && { merges }),\n', replace: '', tests: ['test/operations/staff/identity.test.ts'] },
];

export const STAFF_MUTANTS: readonly Mutant[] = [...POLICIES_AND_ACCESS, ...DRILL_SHARES, ...SEARCH_AND_MESSAGES, ...ERASURE, ...IDENTITY];
