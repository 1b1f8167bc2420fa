/**
 * A line of the access log in the form that security tools read: an event of the class API Activity of the Open Cybersecurity Schema Framework (schema.ocsf.io), version 1.3, with the
 * profile `security_control`. Nothing is added to what the record says, so the record stays the evidence and this its translation.
 */
import type { AccessAction, AccessEvent } from './access-record';

const OCSF_VERSION = '1.3.0';
const CATEGORY = { uid: 6, name: 'Application Activity' } as const;
const CLASS = { uid: 6003, name: 'API Activity' } as const;

/** The class knows four things that can be done. */
const ACTIVITIES = { Create: 1, Read: 2, Update: 3, Delete: 4 } as const;
type Activity = keyof typeof ACTIVITIES;

/** A legal hold and an assignment are states of the customer, so they are updates; what an erasure takes away is gone; a sign-in makes a session. */
const ACTIVITY_OF: Readonly<Record<AccessAction, Activity>> = {
  SignIn: 'Create',
  ReadSelf: 'Read',
  ListCustomers: 'Read',
  SearchCustomers: 'Read',
  CreateCustomer: 'Create',
  ReadCustomer: 'Read',
  EditCustomer: 'Update',
  AssignCustomer: 'Update',
  AddNote: 'Create',
  ReadVersions: 'Read',
  RollbackCustomer: 'Update',
  LinkAlias: 'Update',
  UnlinkAlias: 'Update',
  MergeCustomers: 'Update',
  UnmergeCustomers: 'Update',
  BulkRollback: 'Update',
  ReadConversation: 'Read',
  ProveMessage: 'Read',
  RecordOutbound: 'Create',
  QueryAccess: 'Read',
  ReadHold: 'Read',
  PlaceHold: 'Update',
  ReleaseHold: 'Update',
  AskErasure: 'Create',
  ConfirmErasure: 'Delete',
  ReadErasure: 'Read',
};

/** `user.type_id`. */
const USER_TYPES = { user: { id: 1, name: 'User' }, admin: { id: 2, name: 'Admin' }, system: { id: 3, name: 'System' } } as const;
const userType = (role: string) => (role === 'admin' ? USER_TYPES.admin : role === 'system' ? USER_TYPES.system : USER_TYPES.user);

interface Resource {
  readonly uid?: string;
  readonly name?: string;
  readonly type: string;
}

export interface OcsfApiActivity {
  readonly category_uid: typeof CATEGORY.uid;
  readonly category_name: typeof CATEGORY.name;
  readonly class_uid: typeof CLASS.uid;
  readonly class_name: typeof CLASS.name;
  readonly activity_id: number;
  readonly activity_name: Activity;
  /** class_uid * 100 + activity_id. */
  readonly type_uid: number;
  readonly type_name: string;
  readonly severity_id: number;
  readonly severity: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly metadata: {
    readonly version: string;
    readonly product: { readonly name: string; readonly vendor_name: string };
    readonly profiles: readonly string[];
    readonly log_name: string;
    readonly log_provider: string;
    readonly original_time: string;
    /** Of the record: its time and id. */
    readonly uid: string;
  };
  readonly actor: {
    readonly user: { readonly uid: string; readonly name: string; readonly type_id: number; readonly type: string; readonly groups: readonly { readonly name: string }[] };
    readonly authorizations: readonly { readonly decision: string; readonly policy?: { readonly uid: string; readonly name: string; readonly is_applied: true } }[];
  };
  readonly api: { readonly operation: string; readonly request: { readonly uid: string }; readonly response?: { readonly code?: number; readonly error?: string }; readonly service: { readonly name: string } };
  readonly src_endpoint: { readonly ip: string } | { readonly name: string };
  readonly http_request: { readonly uid: string; readonly user_agent: string };
  readonly resources: readonly Resource[];
  readonly action_id: 1 | 2;
  readonly action: 'Allowed' | 'Denied';
  readonly disposition_id: 1 | 2;
  readonly disposition: 'Allowed' | 'Blocked';
  readonly status_id: 1 | 2;
  readonly status: 'Success' | 'Failure';
  /** Why it failed: the code of the refusal; or that it was `repeated`. */
  readonly status_code?: string;
  /** `results`: how many records the answer held, or the change changed; the schema's own `count` is for something else. `unreadable`: how many it left out that could not be believed; `searched`: what was looked for, kind and HMAC. */
  readonly unmapped?: { readonly results?: number; readonly unreadable?: number; readonly searched?: readonly string[] };
}

export function ocsfOf(event: AccessEvent): OcsfApiActivity {
  const { actor, decision, count: results, unreadable, searched } = event;
  const unmapped = { ...(results !== undefined && { results }), ...(unreadable !== undefined && { unreadable }), ...(searched !== undefined && { searched }) };
  const activity = ACTIVITY_OF[event.action];
  const type = userType(actor.role);
  const isDone = event.outcome === 'done' || event.outcome === 'repeated';
  const verdict = decision.allowed ? 'allow' : 'deny';
  return {
    category_uid: CATEGORY.uid,
    category_name: CATEGORY.name,
    class_uid: CLASS.uid,
    class_name: CLASS.name,
    activity_id: ACTIVITIES[activity],
    activity_name: activity,
    type_uid: CLASS.uid * 100 + ACTIVITIES[activity],
    type_name: `${CLASS.name}: ${activity}`,
    severity_id: 1,
    severity: 'Informational',
    time: Date.parse(event.at),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Intact', vendor_name: 'Intact' },
      profiles: ['security_control'],
      log_name: 'access',
      log_provider: 'Intact',
      original_time: event.at,
      uid: `${event.at}#${event.id}`,
    },
    actor: {
      user: { uid: actor.operatorId, name: actor.name, type_id: type.id, type: type.name, groups: [{ name: actor.role }] },
      // Where no policy decided, nothing allowed it: that is a decision too.
      authorizations: decision.policies.length === 0 ? [{ decision: verdict }] : decision.policies.map((policy) => ({ decision: verdict, policy: { uid: policy, name: policy, is_applied: true } })),
    },
    api: { operation: event.action, request: { uid: actor.requestId }, ...(!isDone && { response: { error: event.outcome } }), service: { name: 'intact' } },
    src_endpoint: actor.sourceIp === '' ? { name: 'unknown' } : { ip: actor.sourceIp },
    http_request: { uid: actor.requestId, user_agent: actor.userAgent },
    resources: [
      event.customerId === undefined ? { type: event.resourceType, name: event.resourceType } : { type: event.resourceType, uid: event.customerId },
      ...(event.resourceId === undefined ? [] : [{ type: 'Record', uid: event.resourceId }]),
      ...(event.shown ?? []).map((uid) => ({ type: 'Customer', uid })),
    ],
    action_id: decision.allowed ? 1 : 2,
    action: decision.allowed ? 'Allowed' : 'Denied',
    disposition_id: decision.allowed ? 1 : 2,
    disposition: decision.allowed ? 'Allowed' : 'Blocked',
    status_id: isDone ? 1 : 2,
    status: isDone ? 'Success' : 'Failure',
    ...(event.outcome !== 'done' && { status_code: event.outcome }),
    ...(Object.keys(unmapped).length > 0 && { unmapped }),
  };
}
