/**
 * Fits the synthesized templates to what the emulator can evaluate, before they are deployed: its policies know nothing of some condition keys, so a Deny on
 * them refuses everything and an Allow on them grants nothing; and a Ref to a secret gives its name where AWS gives its ARN, so grants of it match nothing.
 * Both would stop the app while it is being deployed, when no later call could help. Nothing else is touched, every change is named, and the
 * templates that go to AWS are never read from here.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Condition keys the emulator leaves empty (docs/local-cloud.md tells how this was found). Compared in lower case, by prefix. */
export const unknownConditionKeys = [
  's3:object-lock-',
  's3:if-none-match',
  's3:if-match',
  's3:requestobjecttag',
  's3:x-amz-content-sha256',
  's3:x-amz-storage-class',
  's3:versionid',
  'dynamodb:leadingkeys',
  'dynamodb:enclosingoperation',
  'dynamodb:returnvalues',
  'kms:',
] as const;

/** Actions whose requests name their table by its ARN, where the emulator does not look: it takes them for requests about everything. */
const namedByArn = ['dynamodb:ListTagsOfResource', 'dynamodb:TagResource'] as const;

/** One change: a Deny that was left out, an Allow that lost the condition keys named, the actions named allowed on everything, or Refs to the secrets named made ARNs. */
export interface Fitting {
  readonly template: string;
  readonly resource: string;
  readonly change: 'deny left out' | 'condition dropped' | 'allowed on everything' | 'secret named by ARN';
  readonly what: readonly string[];
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

/** Rewrites every template of the assembly in `directory`; resolves the changes in the order of the files. */
export function fitAssembly(directory: string): readonly Fitting[] {
  const changes: Fitting[] = [];
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.template.json')).sort()) {
    const path = join(directory, file);
    const fitted = fitTemplate(file, JSON.parse(readFileSync(path, 'utf8')) as JsonObject);
    if (fitted.changes.length === 0) continue;
    writeFileSync(path, JSON.stringify(fitted.template, undefined, 1));
    changes.push(...fitted.changes);
  }
  return changes;
}

/** The template with every policy document and every Ref to a secret fitted. Pure, so that a test can hold it to examples. */
export function fitTemplate(name: string, template: JsonObject): { readonly template: JsonObject; readonly changes: readonly Fitting[] } {
  const changes: Fitting[] = [];
  const resources = section(template, 'Resources');
  const secrets = new Set(Object.entries(resources).filter(([, resource]) => isObject(resource) && resource['Type'] === 'AWS::SecretsManager::Secret').map(([id]) => id));
  const fit = (part: JsonObject): JsonObject => Object.fromEntries(
    Object.entries(part).map(([id, value]) => [id, fitValue(value, { template: name, resource: id, secrets }, changes)]),
  );
  const outputs = section(template, 'Outputs');
  return { template: { ...template, Resources: fit(resources), ...(Object.keys(outputs).length === 0 ? {} : { Outputs: fit(outputs) }) }, changes };
}

interface Place {
  readonly template: string;
  readonly resource: string;
  /** Logical ids of the template's secrets. */
  readonly secrets: ReadonlySet<string>;
}

/** Walks any value; what has a `Statement` list is a policy document, wherever its resource type keeps it. */
function fitValue(value: Json, place: Place, changes: Fitting[]): Json {
  if (isList(value)) return value.map((item) => fitValue(item, place, changes));
  if (!isObject(value)) return value;
  const reference = value['Ref'];
  if (typeof reference === 'string' && place.secrets.has(reference)) {
    changes.push({ template: place.template, resource: place.resource, change: 'secret named by ARN', what: [reference] });
    return { 'Fn::GetAtt': [reference, 'Id'] };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => {
    const fitted = key === 'Statement' && isList(item) ? item.flatMap((statement) => [...fitStatement(statement, place, changes), ...widened(statement, place, changes)]) : item;
    return [key, fitValue(fitted, place, changes)];
  }));
}

function fitStatement(statement: Json, place: Place, changes: Fitting[]): readonly Json[] {
  if (!isObject(statement) || !isObject(statement['Condition'])) return [statement];
  const condition = statement['Condition'];
  const keys = Object.values(condition).flatMap((block) => (isObject(block) ? Object.keys(block).filter(isUnknown) : []));
  if (keys.length === 0) return [statement];
  const deny = statement['Effect'] === 'Deny';
  changes.push({ template: place.template, resource: place.resource, change: deny ? 'deny left out' : 'condition dropped', what: [...new Set(keys)] });
  if (deny) return [];
  const { Condition: _dropped, ...rest } = statement;
  const kept = Object.entries(condition)
    .map(([operator, block]) => [operator, isObject(block) ? Object.fromEntries(Object.entries(block).filter(([key]) => !isUnknown(key))) : block] as const)
    .filter(([, block]) => !isObject(block) || Object.keys(block).length > 0);
  return [kept.length === 0 ? rest : { ...rest, Condition: Object.fromEntries(kept) }];
}

/** The statement that lets the emulator through with the actions it cannot match to their table, or none. */
function widened(statement: Json, place: Place, changes: Fitting[]): readonly Json[] {
  if (!isObject(statement) || statement['Effect'] !== 'Allow' || statement['Resource'] === '*') return [];
  const { Action } = statement;
  const actions = namedByArn.filter((action) => (isList(Action) ? Action.includes(action) : Action === action));
  if (actions.length === 0) return [];
  changes.push({ template: place.template, resource: place.resource, change: 'allowed on everything', what: actions });
  return [{ Effect: 'Allow', Action: actions, Resource: '*' }];
}

function isUnknown(key: string): boolean {
  const lower = key.toLowerCase();
  return unknownConditionKeys.some((unknown) => lower.startsWith(unknown));
}

function section(template: JsonObject, name: string): JsonObject {
  return isObject(template[name]) ? template[name] : {};
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
