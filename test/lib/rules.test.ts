/**
 * The AwsSolutions rules over every stage. A clean report proves nothing by itself (a pack that saw no resource is clean too), so: how many resources it saw is pinned,
 * how many findings were acknowledged with a reason is pinned, each acknowledgement answers a finding that is really there, and a bad stack is not clean.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { synthesized } from './synthesized';

const report = (scope: IConstruct) => new AwsSolutionsChecks().validateScope(scope);
const found = (scope: IConstruct): string[] => report(scope).violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`));
const resources = (scope: IConstruct): number => scope.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).length;

interface Acknowledged {
  readonly rule: string;
  readonly path: string;
  readonly reason: string;
}
/** One for each place and rule, however often it was said there. */
function acknowledged(scope: IConstruct): Acknowledged[] {
  const all = scope.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>).map(([rule, reason]) => ({ rule: rule.replace(/^annotation::/i, ''), path: construct.node.path, reason }))),
  );
  return [...new Map(all.map((one) => [`${one.path} ${one.rule}`, one])).values()];
}

describe.each([
  ['dev', 376, 126],
  ['prod', 398, 147],
  ['local', 375, 133],
])('stage %s', (name, resourceCount, acknowledgementCount) => {
  const { app } = synthesized(name);

  it('has no finding', () => {
    expect(found(app)).toEqual([]);
  });

  it('was looked at whole', () => {
    expect(resources(app)).toBe(resourceCount);
  });

  it('has as many acknowledged findings as were looked at, each with a reason', () => {
    const all = acknowledged(app);
    expect(all).toHaveLength(acknowledgementCount);
    for (const { reason } of all) expect(reason.length).toBeGreaterThan(40);
  });
});

describe('the acknowledgements', () => {
  it('answer findings that are there: none is idle, and without them the report is not clean', () => {
    const { app } = synthesized('prod');
    const asked = acknowledged(app);
    const silenced = jest.spyOn(Validations.prototype, 'acknowledge').mockImplementation(() => undefined);
    // The app itself would refuse to synthesise now.
    const plugins = jest.spyOn(Validations.prototype, 'addPlugins').mockImplementation(() => undefined);
    const bare = found(synthesized('prod', {}).app);
    silenced.mockRestore();
    plugins.mockRestore();
    const idle = asked.filter(({ rule, path }) => !bare.some((finding) => finding.startsWith(`${rule} at ${path}`)));
    expect(idle.map(({ rule, path }) => `${rule} at ${path}`)).toEqual([]);
    expect(bare.length).toBeGreaterThanOrEqual(asked.length);
  });

  it('are of these rules', () => {
    const rules = acknowledged(synthesized('prod').app).map(({ rule }) => rule.replace(/\[.*$/, ''));
    expect([...new Set(rules)].sort()).toEqual(['AwsSolutions-APIG4', 'AwsSolutions-IAM5', 'AwsSolutions-L1', 'AwsSolutions-S1', 'AwsSolutions-SMG4']);
  });
});

describe('a bad stack', () => {
  it('has findings', () => {
    const stack = new Stack(new App(), 'Bad');
    new Bucket(stack, 'Bucket');
    new Queue(stack, 'Queue');
    new Topic(stack, 'Topic');
    new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }).addToPolicy(new PolicyStatement({ actions: ['s3:*'], resources: ['*'] }));
    const rules = new Set(report(stack).violations.map(({ ruleName }) => ruleName));
    for (const rule of ['AwsSolutions-S1', 'AwsSolutions-S10', 'AwsSolutions-SQS3', 'AwsSolutions-SQS4', 'AwsSolutions-SNS3', 'AwsSolutions-IAM5[Action::s3:*]', 'AwsSolutions-IAM5[Resource::*]']) expect(rules).toContain(rule);
  });

  it('stops the synthesis of an app that has our rules', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'intact-bad-'));
    const app = new App({ outdir });
    const stack = new Stack(app, 'Bad');
    new Bucket(stack, 'Bucket');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const silent = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(() => app.synth()).toThrow(/does not require requests to use SSL/);
    rmSync(outdir, { recursive: true });
    silent.mockRestore();
  });
});
