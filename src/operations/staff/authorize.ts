/**
 * Who may do what: the one place where the policies are evaluated, by Cedar. What no policy permits is refused, and so is whatever goes wrong: policies that do not load, a role or an
 * action there is not, a policy that fails on what it was asked (Cedar would skip it, and a skipped prohibition permits). That the policies fit their schema is checked when they are
 * tested, not when a function starts, where parsing the schema would be a third of the start (docs/decisions/0010).
 */
import { setFlagsFromString } from 'node:v8';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { policyTexts } from '../../../policies/policy-texts';
import { ACTIONS, type Action, type Authorize, type Decision, type Resource } from '../../core/staff/actions';
import { ROLES, type Actor } from '../../core/staff/actor';

// V8 of Node 20 (11.3) ends the whole process ("unreachable code" in its deoptimizer) when it gives up optimized code into which it has inlined a call of WebAssembly. Some ten thousand
// decisions in one process reach that; a container can. So such calls are not inlined, which costs nanoseconds of half a millisecond. V8 of Node 22 (12.4) does not end so, and knows the flag (docs/decisions/0010).
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** File → its policies in Cedar's language. */
export type PolicyFiles = Readonly<Record<string, string>>;

const UNDECIDED: Decision = { allowed: false, policies: ['error'] };
/** As `Role` is called in the schema: those of staff, and that of a machine. */
const PRINCIPALS: ReadonlySet<string> = new Set([...ROLES, 'system']);
/** The one there is of each; a customer has an id. */
const ONLY: Readonly<Record<Exclude<Resource['type'], 'Customer'>, string>> = { Self: 'self', Customers: 'all', AccessLog: 'all', Outbound: 'all' };

let loaded = 0;

/** Parses the policies once. What it gives never throws: of policies that do not parse, or have no ids, it refuses everything. */
export function authorizeBy(files: PolicyFiles): Authorize {
  const preparsedPolicySetId = `policies-${loaded++}`;
  if (!isParsed(preparsedPolicySetId, files)) return () => UNDECIDED;
  return (actor, action, resource) => {
    try {
      if (!PRINCIPALS.has(actor.role) || !Object.hasOwn(ACTIONS, action) || ACTIONS[action].resource !== resource.type) return UNDECIDED;
      const answer = cedar.statefulIsAuthorized({ ...asked(actor, action, resource), context: {}, preparsedPolicySetId, validateRequest: false });
      if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) return UNDECIDED;
      return { allowed: answer.response.decision === 'allow', policies: [...answer.response.diagnostics.reason].sort() };
    } catch {
      return UNDECIDED;
    }
  };
}

export const authorize: Authorize = authorizeBy(policyTexts.policies);

/** The policies of all files, each under its `@id`. Throws where one has none, or that of another. */
export function policySetOf(files: PolicyFiles): Readonly<Record<string, string>> {
  const set = new Map<string, string>();
  for (const [file, text] of Object.entries(files)) {
    const parts = cedar.policySetTextToParts(text);
    if (parts.type === 'failure') throw new Error(`policies/${file}.cedar does not parse: ${parts.errors.map(({ message }) => message).join('; ')}`);
    if (parts.policy_templates.length > 0) throw new Error(`policies/${file}.cedar holds a template, of which no policy is made`);
    for (const policy of parts.policies) {
      // Not by Cedar's own way to annotations: that is most of what a start would take.
      const id = /^@id\("([a-z-]+)"\)$/m.exec(policy)?.[1];
      if (id === undefined || UNDECIDED.policies.includes(id) || set.has(id)) throw new Error(`policies/${file}.cedar: every policy begins with an @id of its own, in small letters, not ${id ?? 'none'}`);
      set.set(id, policy);
    }
  }
  if (set.size === 0) throw new Error('policies/ holds no policy');
  return Object.fromEntries(set);
}

function isParsed(name: string, files: PolicyFiles): boolean {
  try {
    return cedar.preparsePolicySet(name, { staticPolicies: policySetOf(files) }).type === 'success';
  } catch {
    return false;
  }
}

const uid = (type: string, id: string) => ({ type: `Intact::${type}`, id });

/** The question in Cedar's words. Ids are values here, never parts of a text that is parsed. */
function asked({ operatorId, role }: Actor, action: Action, resource: Resource) {
  const [principal, object] = [uid('Operator', operatorId), uid(resource.type, resource.type === 'Customer' ? resource.id : ONLY[resource.type])];
  const operators = resource.type === 'Customer' ? { owner: resource.ownerId, askedBy: resource.askedBy } : {};
  const attrs = Object.fromEntries(Object.entries(operators).flatMap(([name, operator]) => (operator === undefined ? [] : [[name, { __entity: uid('Operator', operator) }]])));
  return {
    principal,
    action: uid('Action', action),
    resource: object,
    entities: [{ uid: principal, attrs: {}, parents: [uid('Role', role)] }, { uid: object, attrs, parents: [] }],
  };
}
