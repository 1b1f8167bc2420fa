/** The app of one stage: which stacks it has, where they go and by whose rights. */
import { type App, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, type Environment, type IStackSynthesizer, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { LambdaCode } from './constructs/lambda-bundles';
import { DataStack } from './data-stack';
import { ServiceStack } from './service-stack';
import { has, type Stage } from './stage';
import { TrailStack } from './trail-stack';

export interface Stacks {
  readonly data: DataStack;
  readonly service: ServiceStack;
  /** Absent where the stage leaves it out. */
  readonly trail?: TrailStack;
}

/** Adds the stacks of `stage` to `app`, and the rules they must keep: a finding that nobody acknowledged stops the synthesis. */
export function intact(app: App, stage: Stage, code: LambdaCode): Stacks {
  const props = () => ({ env: environmentOf(stage), synthesizer: synthesizerOf(stage), stage });
  const data = new DataStack(app, `Intact-${stage.name}-Data`, { ...props(), description: 'Intact: tables, vault, keys' });
  const service = new ServiceStack(app, `Intact-${stage.name}-Service`, { ...props(), description: 'Intact: functions, webhook, alarms', data, code });
  const trail = has(stage, 'trail') ? new TrailStack(app, `Intact-${stage.name}-Trail`, { ...props(), description: 'Intact: who did what', data }) : undefined;
  Tags.of(app).add('intact:stage', stage.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return trail ? { data, service, trail } : { data, service };
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
