/**
 * The world as the functions of staff see it, one for each level of privilege: each is given the operations of its own routes, and its role lets it do no more. Every operation goes through the guard, with the
 * policies that the bundle bears; a test looks that none is wired here that does not.
 */
import { ulid } from 'ulid';
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { holdMarks } from '../../adapters/aws/hold-marks';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { s3 } from '../../adapters/aws/s3';
import { s3Inbox } from '../../adapters/aws/s3-inbox';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import { requestMemory } from '../../adapters/aws/request-memory';
import { viewStore } from '../../adapters/aws/view-store';
import type { Actor } from '../../core/staff/actor';
import { loadSecrets } from '../../operations/load-secrets';
import { rememberIdentity } from '../../operations/read-log';
import { addNote } from '../../operations/staff/add-note';
import { assignCustomer } from '../../operations/staff/assign-customer';
import { authorize } from '../../operations/staff/authorize';
import { bulkRollback, planBulkRollback } from '../../operations/staff/bulk-rollback';
import { compareVersions } from '../../operations/staff/compare-versions';
import { createCustomer } from '../../operations/staff/create-customer';
import { editCustomer } from '../../operations/staff/edit-customer';
import { askErasure, confirmErasure, readErasure, withdrawErasure } from '../../operations/staff/erasures';
import { placeHold, readHold, releaseHold } from '../../operations/staff/holds';
import { linkAlias, unlinkAlias } from '../../operations/staff/link-alias';
import { mergeCustomers, unmergeCustomers } from '../../operations/staff/merge-customers';
import { listCustomers } from '../../operations/staff/list-customers';
import { listNotes } from '../../operations/staff/list-notes';
import { customerAt, listVersions } from '../../operations/staff/list-versions';
import { proveMessage } from '../../operations/staff/prove-message';
import { noteAccess, type NotedAccess } from '../../operations/staff/note-access';
import { queryAccess } from '../../operations/staff/query-access';
import { readConversation } from '../../operations/staff/read-conversation';
import { readCustomer } from '../../operations/staff/read-customer';
import { readMessage } from '../../operations/staff/read-message';
import { recordOutbound } from '../../operations/staff/record-outbound';
import { rollbackCustomer } from '../../operations/staff/rollback-customer';
import { searchCustomers } from '../../operations/staff/search-customers';
import { containerMeter } from '../metrics';
import { operatorLimit, profileSetting, setting } from '../settings';
import type { StaffOperations } from '../staff/operations';
import type { StaffDeps } from '../staff/serve';
import { recordingDeps } from './receiving';
import { keyPorts, now, random } from './world';

/** What every operation of staff works with. Which of it a function can have is decided by its role. */
function guardDeps() {
  return {
    records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
    keys: loadSecrets(keyPorts()),
    authorize,
    identity: rememberIdentity(logStore(dynamoDb(), setting('LOG_TABLE'))),
    meter: containerMeter(),
    now,
    random,
    profile: profileSetting(),
  };
}

/** An operation that has been given its world. */
const given = <D, I, R>(deps: D, operation: (deps: D, actor: Actor, input: I) => R) => (actor: Actor, input: I): R => operation(deps, actor, input);

/** What the routes of one level work with, beside its operations. */
function served(deps: ReturnType<typeof guardDeps>, operations: Partial<StaffOperations>): StaffDeps {
  const secret = async (): Promise<Uint8Array> => (await deps.keys.macKeys())[0].secret;
  return { operations, profile: deps.profile, memory: requestMemory(dynamoDb(), setting('VIEWS_TABLE')), limit: operatorLimit(), secret, note: (access: NotedAccess) => noteAccess(deps, access), now, newId: () => ulid(now().getTime()) };
}

/** For api-read. */
export function readingDeps(): StaffDeps {
  const deps = { ...guardDeps(), views: viewStore(dynamoDb(), setting('VIEWS_TABLE')) };
  return served(deps, { listCustomers: given(deps, listCustomers), searchCustomers: given(deps, searchCustomers), readCustomer: given(deps, readCustomer), listNotes: given(deps, listNotes), listVersions: given(deps, listVersions), customerAt: given(deps, customerAt), compareVersions: given(deps, compareVersions) });
}

/** For api-write. */
export function writingDeps(): StaffDeps {
  const deps = guardDeps();
  return served(deps, { createCustomer: given(deps, createCustomer), editCustomer: given(deps, editCustomer), assignCustomer: given(deps, assignCustomer), addNote: given(deps, addNote), rollbackCustomer: given(deps, rollbackCustomer), linkAlias: given(deps, linkAlias), unlinkAlias: given(deps, unlinkAlias), mergeCustomers: given(deps, mergeCustomers), unmergeCustomers: given(deps, unmergeCustomers) });
}

/** For api-admin. */
export function undoingDeps(): StaffDeps {
  const deps = guardDeps();
  return served(deps, { planBulkRollback: given(deps, planBulkRollback), bulkRollback: given(deps, bulkRollback) });
}

/** For api-audit. */
export function auditingDeps(): StaffDeps {
  const deps = { ...guardDeps(), views: viewStore(dynamoDb(), setting('VIEWS_TABLE')) };
  return served(deps, { queryAccess: given(deps, queryAccess) });
}

/** For api-messages. What a proof is made of, this function alone of those of staff can have. */
export function messagingDeps(): StaffDeps {
  const guard = guardDeps();
  const deps = { ...guard, views: viewStore(dynamoDb(), setting('VIEWS_TABLE')), inbox: s3Inbox(s3(), setting('INBOX_BUCKET')) };
  const proof = { ...keyPorts(), records: guard.records, log: logStore(dynamoDb(), setting('LOG_TABLE')), vault: s3VaultReader(s3(), setting('VAULT_BUCKET')) };
  return served(guard, { readConversation: given(deps, readConversation), readMessage: given(deps, readMessage), proveMessage: given({ ...deps, proof }, proveMessage) });
}

/** For api-outbound. */
export function sendingDeps(): StaffDeps {
  const deps = { ...recordingDeps(), ...guardDeps() };
  return served(deps, { recordOutbound: given(deps, recordOutbound) });
}

/** For api-officer. */
export function officeDeps(): StaffDeps {
  const deps = { ...guardDeps(), holdMarks: holdMarks(dynamoDb(), { records: setting('RECORDS_TABLE'), keys: setting('KEYS_TABLE') }) };
  return served(deps, { readHold: given(deps, readHold), placeHold: given(deps, placeHold), releaseHold: given(deps, releaseHold), askErasure: given(deps, askErasure), readErasure: given(deps, readErasure), confirmErasure: given(deps, confirmErasure), withdrawErasure: given(deps, withdrawErasure) });
}
