/** The app of one stage, synthesised once without bundling, and readers of its templates: references followed, so that a test can compare and evaluate policies. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { intact, type Stacks } from '../../lib/intact';
import { readStage, type Stage } from '../../lib/stage';
import type { Statement } from './policy-evaluator';

export const root = join(__dirname, '../..');
export const context = (JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context;

/** A part of a template: JSON that the test itself says the shape of. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Loose = any;

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, Loose>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Record<string, unknown>;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>>;
}
export interface Synthesized {
  readonly stage: Stage;
  readonly app: App;
  readonly stacks: Stacks;
  readonly data: Template;
  readonly service: Template;
  readonly trail: Template | undefined;
  readonly offsite: Template | undefined;
  readonly standby: Template | undefined;
  readonly operators: Template | undefined;
}

const unchanged = new Map<string, Synthesized>();

/** The stage as it stands in its file, made once per test file. With `settings`, which replace those of the file: a new one. */
export function synthesized(name: string, settings?: Partial<Stage>): Synthesized {
  if (settings !== undefined) return synthesize(name, settings);
  const made = unchanged.get(name) ?? synthesize(name, {});
  unchanged.set(name, made);
  return made;
}

function synthesize(name: string, settings: Partial<Stage>): Synthesized {
  // CloudFormation's own schema check takes seconds and runs in `npm run synth`.
  process.env['CDK_VALIDATION'] = 'false';
  const outdir = mkdtempSync(join(tmpdir(), 'intact-synth-'));
  const app = new App({ outdir, context });
  const stage = { ...readStage(name, join(root, 'stages')), ...settings };
  const stacks = intact(app, stage, () => Code.fromInline('exports.handler = async () => {}'));
  const assembly = app.synth();
  const template = (part: string): Template | undefined => assembly.stacks.find(({ stackName }) => stackName === `Intact-${name}-${part}`)?.template as Template | undefined;
  const all = { stage, app, stacks, data: template('Data')!, service: template('Service')!, trail: template('Trail'), offsite: template('Offsite'), standby: template('Standby'), operators: template('Operators') };
  rmSync(outdir, { recursive: true });
  return all;
}

export const ofType = (template: Template, type: string): [string, Resource][] => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);

/** The one resource of `type` whose logical id begins with `id`. */
export function one(template: Template, type: string, id: string): Resource {
  const found = ofType(template, type).filter(([logicalId]) => logicalId.startsWith(id));
  if (found.length !== 1) throw new Error(`${found.length} resources of ${type} begin with ${id}: ${found.map(([logicalId]) => logicalId).join(', ')}`);
  return found[0]![1];
}

/** `value` with every reference written out: `<logical id>` or `<logical id>.<attribute>`, imports followed to what is exported. */
export function resolved(value: unknown, all: Synthesized): Loose {
  if (Array.isArray(value)) return value.map((item) => resolved(item, all));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::ImportValue': imported, 'Fn::Join': joined } = value as Record<string, Loose>;
  if (Ref !== undefined) return withoutHash(Ref);
  if (attribute !== undefined) return `${withoutHash(attribute[0])}.${attribute[1]}`;
  if (imported !== undefined) return resolved([all.data, all.trail].flatMap((template) => Object.values(template?.Outputs ?? {})).find(({ Export }) => Export?.Name === imported)?.Value, all);
  if (joined !== undefined) return joined[1].map((part: unknown) => resolved(part, all)).join(joined[0]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, all)]));
}

const withoutHash = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

/** What each function's role may do, by the function's name. */
export function grants(all: Synthesized): Record<string, Statement[]> {
  const both = (type: string): [string, Resource][] => [all.service, all.data].flatMap((template) => ofType(template, type));
  const policies = both('AWS::IAM::Policy');
  const byRole = policies.flatMap(([, { Properties }]) => (resolved(Properties['Roles'], all) as string[]).map((role) => [role, resolved(Properties['PolicyDocument'].Statement, all) as Statement[]] as const));
  return Object.fromEntries(
    both('AWS::Lambda::Function').map(([, { Properties }]) => {
      const role = String(resolved(Properties['Role'], all)).replace(/\.Arn$/, '');
      return [String(Properties['LoggingConfig'].LogGroup.Ref).replace(/log[0-9A-F]{8}$/, ''), byRole.filter(([name]) => name === role).flatMap(([, statements]) => statements)];
    }),
  );
}
