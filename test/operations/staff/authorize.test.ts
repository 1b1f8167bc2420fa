/**
 * Who may do what, every cell: the table below was written by hand from the duties of each role, and says nothing of how the policies come to the same. The policies themselves are
 * checked by Cedar's validator against their schema, and the schema against the actions the operations can ask for.
 */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { policyTexts } from '../../../policies/policy-texts';
import { ACTIONS, type Action, type Resource } from '../../../src/core/staff/actions';
import { ROLES, type Actor } from '../../../src/core/staff/actor';
import { authorize, authorizeBy, policySetOf } from '../../../src/operations/staff/authorize';
import { figure } from '../../figures';

const ME = '0a1b2c3d-aaaa-4bbb-8ccc-000000000001';
const ANOTHER = '0a1b2c3d-aaaa-4bbb-8ccc-000000000002';
const PRINCIPALS = [...ROLES, 'system'] as const;
type Principal = (typeof PRINCIPALS)[number];

const actor = (role: string, operatorId = ME): Actor => ({ operatorId, name: 'name', role: role as Actor['role'], sourceIp: '192.0.2.1', userAgent: 'test', requestId: 'r' });

/** `y`: whatever it is asked for. `o`: only where the customer is assigned to them. `2`: only where somebody else asked for the erasure. `-`: never. */
const TABLE: Readonly<Record<Action, string>> = {
  //                 sales support compliance dpo auditor admin system
  ReadSelf: '          y      y        y       y     y      y      -',
  ListCustomers: '     y      y        y       y     -      y      -',
  SearchCustomers: '   y      y        y       y     -      y      -',
  CreateCustomer: '    -      y        -       -     -      y      -',
  ReadCustomer: '      o      y        y       y     -      y      -',
  EditCustomer: '      -      y        -       -     -      y      -',
  AssignCustomer: '    -      -        -       -     -      y      -',
  AddNote: '           -      y        -       -     -      y      -',
  ReadVersions: '      o      y        y       y     y      y      -',
  RollbackCustomer: '  -      y        -       -     -      y      -',
  LinkAlias: '         -      y        -       -     -      y      -',
  UnlinkAlias: '       -      y        -       -     -      y      -',
  MergeCustomers: '    -      y        -       -     -      y      -',
  UnmergeCustomers: '  -      y        -       -     -      y      -',
  BulkRollback: '      -      -        -       -     -      y      -',
  ReadConversation: '  o      y        y       y     -      -      -',
  ProveMessage: '      -      y        y       y     -      -      -',
  RecordOutbound: '    -      y        -       -     -      -      y',
  QueryAccess: '       -      -        y       y     y      -      -',
  ReadHold: '          -      -        y       y     y      -      -',
  PlaceHold: '         -      -        y       y     -      -      -',
  ReleaseHold: '       -      -        y       y     -      -      -',
  AskErasure: '        -      -        y       y     -      -      -',
  ConfirmErasure: '    -      -        2       2     -      -      -',
  ReadErasure: '       -      -        y       y     y      -      -',
};
const actions = Object.keys(ACTIONS) as Action[];

/** Every resource an action can be asked for: with one customer, all of who owns it times who asked. */
function resourcesOf(action: Action): readonly Resource[] {
  const { resource: type } = ACTIONS[action];
  if (type !== 'Customer') return [{ type }];
  const some = [ME, ANOTHER, undefined];
  return some.flatMap((ownerId) => some.map((askedBy) => ({ type, id: 'customer-1', ...(ownerId && { ownerId }), ...(askedBy && { askedBy }) })));
}

function expected(role: Principal, action: Action, resource: Resource): boolean {
  const cell = TABLE[action].trim().split(/\s+/)[PRINCIPALS.indexOf(role)];
  if (cell === 'o') return resource.type === 'Customer' && resource.ownerId === ME;
  if (cell === '2') return resource.type === 'Customer' && resource.askedBy === ANOTHER;
  if (cell !== 'y' && cell !== '-') throw new Error(`the table has no cell for ${role} and ${action}`);
  return cell === 'y';
}

describe('who may do what', () => {
  it('is, in every cell, what was written by hand', () => {
    let cells = 0;
    const wrong: unknown[] = [];
    for (const role of PRINCIPALS) for (const action of actions) for (const resource of resourcesOf(action)) {
      cells += 1;
      const { allowed, policies } = authorize(actor(role), action, resource);
      if (allowed !== expected(role, action, resource) || policies.includes('error')) wrong.push({ role, action, resource, allowed, policies });
    }
    expect(wrong).toEqual([]);
    expect(cells).toBe(PRINCIPALS.length * (actions.filter((action) => ACTIONS[action].resource === 'Customer').length * 9 + actions.filter((action) => ACTIONS[action].resource !== 'Customer').length));
    figure('who may do what', `${cells} cells of role × action × whose customer × who asked, each as written by hand`);
  });

  it('names the policy that permitted, and the one that forbids', () => {
    expect(authorize(actor('sales'), 'ReadCustomer', { type: 'Customer', id: 'c', ownerId: ME })).toEqual({ allowed: true, policies: ['sales-read-own'] });
    expect(authorize(actor('sales'), 'ReadCustomer', { type: 'Customer', id: 'c', ownerId: ANOTHER })).toEqual({ allowed: false, policies: ['never-sales-others'] });
    expect(authorize(actor('dpo'), 'ConfirmErasure', { type: 'Customer', id: 'c', askedBy: ME })).toEqual({ allowed: false, policies: ['never-erase-alone'] });
    expect(authorize(actor('auditor'), 'ReadCustomer', { type: 'Customer', id: 'c' })).toEqual({ allowed: false, policies: [] });
  });

  it('does not depend on what the ids look like: no id makes somebody else of anybody', () => {
    const id = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('sales', 'Intact::Role::"admin"', '"', '\\', '__proto__', '*', ''));
    fc.assert(
      fc.property(id, id, id, (operatorId, ownerId, customerId) => {
        const decision = authorize(actor('sales', operatorId), 'ReadCustomer', { type: 'Customer', id: customerId, ownerId });
        expect(decision.allowed).toBe(operatorId === ownerId);
      }),
      { numRuns: process.env['INTACT_FULL'] ? 5_000 : 200 },
    );
  });
});

describe('what cannot be decided', () => {
  it.each([
    ['a role there is not', () => authorize(actor('root'), 'ReadSelf', { type: 'Self' })],
    ['two roles in one', () => authorize(actor('sales,admin'), 'ReadSelf', { type: 'Self' })],
    ['an action there is not', () => authorize(actor('admin'), 'DeleteMessage' as Action, { type: 'Customers' })],
    ['an action that is a name of every object', () => authorize(actor('admin'), 'constructor' as Action, { type: 'Customers' })],
    ['an action asked of another thing than it is done to', () => authorize(actor('support'), 'EditCustomer', { type: 'Customers' })],
    ['a resource that is none', () => authorize(actor('support'), 'EditCustomer', undefined as unknown as Resource)],
  ])('is refused: %s', (_name, ask) => {
    expect(ask()).toEqual({ allowed: false, policies: ['error'] });
  });

  it.each([
    ['that do not parse', { broken: 'permit (principal' }],
    ['without an id', { anonymous: 'permit (principal, action, resource);' }],
    ['of which two have one id', { a: '@id("a") permit (principal, action, resource);', b: '@id("a") permit (principal, action, resource);' }],
    ['of which one would pass for an error', { a: '@id("error")\npermit (principal, action, resource);' }],
    ['that are none', {}],
    ['of which one is a template', { a: '@id("a")\npermit (principal == ?principal, action, resource);' }],
  ])('is refused: everything, by policies %s', (_name, files) => {
    expect(authorizeBy(files)(actor('admin'), 'ReadSelf', { type: 'Self' })).toEqual({ allowed: false, policies: ['error'] });
  });

  it('is refused: what one policy permits while another fails on it', () => {
    const decide = authorizeBy({ a: '@id("all")\npermit (principal, action, resource);\n@id("fails")\nforbid (principal, action, resource) when { resource.owner == principal };' });
    expect(decide(actor('admin'), 'ReadCustomer', { type: 'Customer', id: 'c', ownerId: ANOTHER })).toEqual({ allowed: true, policies: ['all'] });
    expect(decide(actor('admin'), 'ReadCustomer', { type: 'Customer', id: 'c' })).toEqual({ allowed: false, policies: ['error'] });
  });
});

describe('the policies', () => {
  const set = policySetOf(policyTexts.policies);
  const schema = cedar.schemaToJson(policyTexts.schema);
  const namespace = schema.type === 'success' ? schema.json['Intact'] : undefined;

  it("fit the schema, as Cedar's validator sees it, strictly and without a warning", () => {
    const checked = cedar.validate({ schema: policyTexts.schema, policies: { staticPolicies: set }, validationSettings: { mode: 'strict' } });
    expect(checked).toEqual({ type: 'success', validationErrors: [], validationWarnings: [], otherWarnings: [] });
  });

  it('and a policy that does not is found', () => {
    const misspelt = { ...set, 'sales-read-own': (set['sales-read-own'] ?? '').replaceAll('resource.owner', 'resource.ownr') };
    expect(cedar.validate({ schema: policyTexts.schema, policies: { staticPolicies: misspelt } })).toMatchObject({ type: 'success', validationErrors: [{ policyId: 'sales-read-own' }] });
  });

  it('have an id and a reason each, and the ids are those that Cedar reads', () => {
    for (const [id, policy] of Object.entries(set)) {
      const parsed = cedar.policyToJson(policy);
      expect(parsed).toMatchObject({ type: 'success', json: { annotations: { id, why: expect.stringMatching(/^[A-Z].{10,}\.$/) as string } } });
    }
  });

  it('speak of the actions that operations ask for, each done to the same thing, and of the roles there are', () => {
    const declared = Object.fromEntries(Object.entries(namespace?.actions ?? {}).map(([name, { appliesTo }]) => [name, { principals: appliesTo?.principalTypes, resources: appliesTo?.resourceTypes }]));
    expect(declared).toEqual(Object.fromEntries(actions.map((action) => [action, { principals: ['Operator'], resources: [ACTIONS[action].resource] }])));
    expect(namespace?.entityTypes['Role']).toMatchObject({ enum: [...PRINCIPALS] });
  });

  it('are each needed: something is decided by it alone', () => {
    const careless = authorizeBy({ ...policyTexts.policies, careless: '@id("careless")\npermit (principal, action, resource);' });
    const alone = new Set<string>();
    for (const role of PRINCIPALS) for (const action of actions) for (const resource of resourcesOf(action)) {
      // What a prohibition is for shows only where somebody has permitted too much.
      for (const { policies } of [authorize(actor(role), action, resource), careless(actor(role), action, resource)]) if (policies.length === 1) alone.add(policies[0]!);
    }
    expect(Object.keys(set).filter((id) => !alone.has(id))).toEqual([]);
  });

  it('that forbid hold against a policy that permits everything', () => {
    const careless = authorizeBy({ ...policyTexts.policies, careless: '@id("careless")\npermit (principal, action, resource);' });
    const customer: Resource = { type: 'Customer', id: 'c', ownerId: ANOTHER, askedBy: ME };
    expect(careless(actor('support'), 'AssignCustomer', customer).allowed).toBe(true);
    for (const role of PRINCIPALS) expect([role, careless(actor(role), 'ConfirmErasure', customer).allowed]).toEqual([role, false]);
    expect(careless(actor('sales'), 'ReadCustomer', customer)).toEqual({ allowed: false, policies: ['never-sales-others'] });
    expect(careless(actor('sales'), 'EditCustomer', { ...customer, ownerId: ME })).toEqual({ allowed: false, policies: ['never-sales-write'] });
    expect(careless(actor('admin'), 'QueryAccess', { type: 'AccessLog' }).allowed).toBe(false);
    expect(actions.filter((action) => careless(actor('system'), action, resourcesOf(action)[0] as Resource).allowed)).toEqual(['RecordOutbound']);
  });
});

describe('messages', () => {
  /** What each action leaves otherwise than it found it. An action that is added has to be put here, and then the next test asks who has it. */
  const CHANGES: Readonly<Record<'nothing' | 'profiles' | 'whose later messages are' | 'holds' | 'adds a record of a message' | 'removes messages', readonly Action[]>> = {
    nothing: ['ReadSelf', 'ListCustomers', 'SearchCustomers', 'ReadCustomer', 'ReadVersions', 'ReadConversation', 'ProveMessage', 'QueryAccess', 'ReadHold', 'ReadErasure', 'AskErasure'],
    profiles: ['CreateCustomer', 'EditCustomer', 'AssignCustomer', 'AddNote', 'RollbackCustomer', 'BulkRollback'],
    'whose later messages are': ['LinkAlias', 'UnlinkAlias', 'MergeCustomers', 'UnmergeCustomers'],
    holds: ['PlaceHold', 'ReleaseHold'],
    'adds a record of a message': ['RecordOutbound'],
    'removes messages': ['ConfirmErasure'],
  };

  it('are changed by no action, and removed by one that takes two officers', () => {
    expect(Object.values(CHANGES).flat().sort()).toEqual([...actions].sort());
    const may = PRINCIPALS.filter((role) => CHANGES['removes messages'].some((action) => resourcesOf(action).some((resource) => authorize(actor(role), action, resource).allowed)));
    expect(may).toEqual(['compliance', 'dpo']);
    for (const role of may) for (const askedBy of [ME, undefined]) expect(authorize(actor(role), 'ConfirmErasure', { type: 'Customer', id: 'c', ...(askedBy && { askedBy }) }).allowed).toBe(false);
  });
});
