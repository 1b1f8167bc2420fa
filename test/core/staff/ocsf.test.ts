/** Access records are API Activity of OCSF 1.3: every attribute that the schema requires, every enumerated value one of the schema's, nothing outside of it. */
import { ACTIONS, type Action } from '../../../src/core/staff/actions';
import { accessEventOf, accessImage, type AccessEvent } from '../../../src/core/staff/access-record';
import { ocsfOf } from '../../../src/core/staff/ocsf';

const event: AccessEvent = {
  at: '2026-03-01T12:00:00.123Z',
  id: 'AAAAAAAAAAAA',
  actor: { operatorId: 'o-1', name: 'ada@example.com', role: 'support', sourceIp: '192.0.2.7', userAgent: 'console/1', requestId: 'r-1' },
  action: 'EditCustomer',
  decision: { allowed: true, policies: ['support-edits'] },
  resourceType: 'Customer',
  customerId: '01K00000000000000000000001',
  outcome: 'done',
  count: 1,
};

/**
 * From the schema as published (github.com/ocsf/ocsf-schema, version 1.3.0: events/application/api.json, events/base_event.json, profiles/security_control.json and the objects): attributes of
 * each object, `!` those required. `_`: at least one of these must be there.
 */
const SCHEMA: Readonly<Record<string, { readonly attributes: string; readonly oneOf?: readonly string[] }>> = {
  '': {
    attributes:
      'activity_id! activity_name actor! api! category_name category_uid! class_name class_uid! count dst_endpoint duration end_time enrichments http_request http_response message metadata! observables raw_data resources severity severity_id! src_endpoint! start_time status status_code status_detail status_id time! timezone_offset type_name type_uid! unmapped action action_id! attacks authorizations disposition disposition_id firewall_rule malware',
  },
  'metadata': { attributes: 'correlation_uid event_code extension extensions labels log_level log_name log_provider log_version logged_time modified_time loggers original_time processed_time product! profiles sequence tenant_uid uid version!' },
  'metadata.product': { attributes: 'feature cpe_name lang name path uid url_string vendor_name! version', oneOf: ['name', 'uid'] },
  'actor': { attributes: 'app_name app_uid authorizations idp invoked_by process session user', oneOf: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'] },
  'actor.user': { attributes: 'account credential_uid domain email_addr full_name groups ldap_person name org risk_level risk_level_id risk_score type type_id uid uid_alt', oneOf: ['account', 'name', 'uid'] },
  'actor.user.groups': { attributes: 'desc domain name privileges type uid', oneOf: ['name', 'uid'] },
  'actor.authorizations': { attributes: 'decision policy' },
  'actor.authorizations.policy': { attributes: 'desc group name uid version is_applied', oneOf: ['name', 'uid'] },
  'api': { attributes: 'group operation! request response service version' },
  'api.request': { attributes: 'containers data flags uid!' },
  'api.response': { attributes: 'code containers data error error_message flags message' },
  'api.service': { attributes: 'labels name uid version', oneOf: ['name', 'uid'] },
  'src_endpoint': { attributes: 'agent_list domain hostname hw_info instance_uid interface_name interface_uid ip location mac name os owner subnet_uid type type_id uid vlan_uid vpc_uid zone autonomous_system intermediate_ips proxy_endpoint port svc_name', oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid', 'interface_uid', 'interface_name'] },
  'http_request': { attributes: 'args http_headers http_method length referrer uid url user_agent version x_forwarded_for' },
  'resources': { attributes: 'agent_list cloud_partition criticality group namespace owner region version data labels name type uid', oneOf: ['name', 'uid'] },
};
const FREE = new Set(['unmapped']);

function faults(value: object, path = ''): readonly string[] {
  const schema = SCHEMA[path];
  if (schema === undefined) return [`${path}: no such object in the schema`];
  const known = schema.attributes.split(' ');
  const names = Object.keys(value);
  const missing = known.filter((name) => name.endsWith('!') && !names.includes(name.slice(0, -1))).map((name) => `${path}.${name} is missing`);
  const foreign = names.filter((name) => !known.includes(name) && !known.includes(`${name}!`)).map((name) => `${path}.${name} is not in the schema`);
  const none = schema.oneOf !== undefined && !schema.oneOf.some((name) => names.includes(name)) ? [`${path} has none of ${schema.oneOf.join()}`] : [];
  const inside = Object.entries(value).flatMap(([name, each]) => {
    const below = path === '' ? name : `${path}.${name}`;
    const objects = (Array.isArray(each) ? each : [each]).filter((one): one is object => typeof one === 'object' && one !== null);
    return path === '' && FREE.has(name) ? [] : objects.flatMap((one) => faults(one, below));
  });
  return [...missing, ...foreign, ...none, ...inside];
}

/** Enumerations of the schema, with the captions that go with the numbers. */
const ACTIVITY: Readonly<Record<number, string>> = { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' };
const STATUS: Readonly<Record<number, string>> = { 1: 'Success', 2: 'Failure' };
const DISPOSITION: Readonly<Record<number, string>> = { 1: 'Allowed', 2: 'Blocked' };
const CONTROL: Readonly<Record<number, string>> = { 1: 'Allowed', 2: 'Denied' };
const USER: Readonly<Record<number, string>> = { 1: 'User', 2: 'Admin', 3: 'System' };

const variants: readonly AccessEvent[] = (Object.keys(ACTIONS) as Action[]).flatMap((action): AccessEvent[] => {
  const { customerId: _, ...nobody } = event;
  const denied = { ...nobody, action, resourceType: ACTIONS[action].resource, decision: { allowed: false, policies: [] }, outcome: 'not-found' as const, actor: { ...event.actor, sourceIp: '', role: 'system' } };
  return [{ ...event, action, resourceType: ACTIONS[action].resource, resourceId: 'note#1' }, denied, { ...event, action, actor: { ...event.actor, role: 'admin' }, outcome: 'stale' }, { ...nobody, action, resourceType: ACTIONS[action].resource, outcome: 'repeated', shown: ['01K00000000000000000000001'], searched: ['name:h', 'tag:h'] }];
});

test.each(variants)('$action by $actor.role, $outcome, fits the schema', (each) => {
  const activity = ocsfOf(each);
  expect(faults(activity)).toEqual([]);
  expect(activity).toMatchObject({ category_uid: 6, class_uid: 6003, type_uid: 600_300 + activity.activity_id, severity_id: 1, time: Date.parse(each.at), metadata: { version: '1.3.0' } });
  expect(ACTIVITY[activity.activity_id]).toBe(activity.activity_name);
  expect(STATUS[activity.status_id]).toBe(activity.status);
  expect(DISPOSITION[activity.disposition_id]).toBe(activity.disposition);
  expect(CONTROL[activity.action_id]).toBe(activity.action);
  expect(USER[activity.actor.user.type_id]).toBe(activity.actor.user.type);
  expect(Number.isInteger(activity.time)).toBe(true);
});

test('who, what, from where, when, by which policy and how it came out', () => {
  expect(ocsfOf(event)).toMatchObject({
    activity_name: 'Update',
    actor: { user: { uid: 'o-1', name: 'ada@example.com', groups: [{ name: 'support' }] }, authorizations: [{ decision: 'allow', policy: { uid: 'support-edits' } }] },
    api: { operation: 'EditCustomer', request: { uid: 'r-1' } },
    src_endpoint: { ip: '192.0.2.7' },
    http_request: { user_agent: 'console/1' },
    resources: [{ type: 'Customer', uid: '01K00000000000000000000001' }],
    status: 'Success',
    disposition: 'Allowed',
    unmapped: { results: 1 },
  });
  expect(ocsfOf({ ...event, decision: { allowed: false, policies: [] }, outcome: 'not-found' })).toMatchObject({ status: 'Failure', status_code: 'not-found', disposition: 'Blocked', actor: { authorizations: [{ decision: 'deny' }] } });
  expect(ocsfOf({ ...event, outcome: 'repeated', searched: ['phone:h'] })).toMatchObject({ status: 'Success', status_code: 'repeated', unmapped: { results: 1, searched: ['phone:h'] } });
});

test.each(variants)('$action by $actor.role, $outcome, comes back from its record', (each) => {
  expect(accessEventOf(accessImage(each, 'S'.repeat(22)))).toEqual(each);
});

test('what a caller calls itself is kept bounded and storable', () => {
  const odd = accessEventOf(accessImage({ ...event, actor: { ...event.actor, userAgent: `\ud800${'x'.repeat(1_000)}` } }, 'S'.repeat(22)));
  expect(odd?.actor.userAgent).toBe(`\ufffd${'x'.repeat(255)}`);
});

test.each(['kind', 'receivedAt', 'action', 'decision', 'outcome', 'operatorId', 'policies'])('a record without %s is no access record', (name) => {
  const { [name]: _, ...rest } = accessImage(event, 'S'.repeat(22));
  expect(accessEventOf(rest)).toBeUndefined();
});
