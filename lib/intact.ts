/** The app of one stage: which stacks it has, where they go and by whose rights. */
import { type App, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, type Environment, type IStackSynthesizer, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { LambdaCode } from './constructs/lambda-bundles';
import { DataStack } from './data-stack';
import { OperatorsStack } from './operators-stack';
import { OffsiteStack } from './offsite-stack';
import { ServiceStack } from './service-stack';
import { has, type Stage } from './stage';
import { StandbyStack } from './standby-stack';
import { TrailStack } from './trail-stack';

export interface Stacks {
  /** Absent where the stage has no second region. */
  readonly offsite?: OffsiteStack;
  readonly data: DataStack;
  readonly service: ServiceStack;
  /** Absent where the stage leaves them out. */
  readonly trail?: TrailStack;
  readonly standby?: StandbyStack;
  readonly operators?: OperatorsStack;
}

/** Adds the stacks of `stage` to `app`, and the rules they must keep: a finding that nobody acknowledged stops the synthesis. */
export function intact(app: App, stage: Stage, code: LambdaCode): Stacks {
  const props = () => ({ env: environmentOf(stage), synthesizer: synthesizerOf(stage), stage });
  const offsite = offsiteStack(app, stage);
  const data = new DataStack(app, `Intact-${stage.name}-Data`, { ...props(), description: 'Intact: tables, vault, keys', code });
  const service = new ServiceStack(app, `Intact-${stage.name}-Service`, { ...props(), description: 'Intact: functions, webhook, alarms', data, code });
  const trail = has(stage, 'trail') ? new TrailStack(app, `Intact-${stage.name}-Trail`, { ...props(), description: 'Intact: who did what', data }) : undefined;
  const standby = standbyStack(app, stage, data);
  const operators = stage.operators === null ? undefined : new OperatorsStack(app, `Intact-${stage.name}-Operators`, { ...props(), description: 'Intact: roles of the people who run it', operators: stage.operators, data, trail });
  // By name only, so CloudFormation cannot know: a vault is replicated into a bucket that exists, a key replicated that exists.
  if (offsite) data.addStackDependency(offsite);
  standby?.addStackDependency(data);
  Tags.of(app).add('intact:stage', stage.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { ...(offsite ? { offsite } : {}), data, service, ...(trail ? { trail } : {}), ...(standby ? { standby } : {}), ...(operators ? { operators } : {}) };
}

/** In the account of the replica. */
function offsiteStack(app: App, stage: Stage): OffsiteStack | undefined {
  const { offsite } = stage;
  if (offsite === null) return undefined;
  const account = offsite.account ?? environmentOf(stage).account;
  const env = { ...(account ? { account } : {}), region: offsite.region };
  return new OffsiteStack(app, `Intact-${stage.name}-Offsite`, { env, synthesizer: synthesizerOf(stage), stage, offsite, description: "Intact: the vault's replica" });
}

/** In the stage's own account. */
function standbyStack(app: App, stage: Stage, data: DataStack): StandbyStack | undefined {
  const { offsite } = stage;
  if (offsite === null || !has(stage, 'standby')) return undefined;
  const env = { ...environmentOf(stage), region: offsite.region };
  return new StandbyStack(app, `Intact-${stage.name}-Standby`, { env, synthesizer: synthesizerOf(stage), stage, offsite, data, description: 'Intact: keys and alarms in the second region' });
}

/** The stage's own account and region, else those of the CDK CLI's credentials. */
function environmentOf(stage: Stage): Environment {
  const account = stage.account ?? process.env['CDK_DEFAULT_ACCOUNT'];
  const region = stage.region ?? process.env['CDK_DEFAULT_REGION'];
  return { ...(account ? { account } : {}), ...(region ? { region } : {}) };
}

/** A new one for each stack. The cast: their classes are declared for compilers that do not tell an absent property from an undefined one. */
const synthesizerOf = ({ deployWith }: Stage): IStackSynthesizer =>
  (deployWith === 'own-credentials' ? new CliCredentialsStackSynthesizer() : new DefaultStackSynthesizer()) as IStackSynthesizer;
