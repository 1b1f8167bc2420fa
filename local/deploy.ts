/**
 * Deploys the app into the local cloud with the CDK CLI, as one would to AWS: synth, bootstrap, deploy. The assembly is synthesized once, for
 * stage `local`, fitted to the emulator (fit-assembly.ts) and deployed as it then stands.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './child-process';
import { isolatedEnvironment, localAccount, localEnvironment, localRegion, localSecondRegion } from './environment';
import { fitAssembly } from './fit-assembly';
import { projectRoot } from './state-directory';
import type { StateDirectory } from './state-directory';

const cdk = join(projectRoot, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** The stacks of the local stage, in the order they depend on each other. */
export const localStacks = { offsite: 'Intact-local-Offsite', data: 'Intact-local-Data', service: 'Intact-local-Service' } as const;
export type LocalStack = (typeof localStacks)[keyof typeof localStacks];

export interface DeployOptions {
  readonly signal?: AbortSignal;
  /** Directory of the CDK app; the project's own but in tests of this runner. */
  readonly app?: string;
}

/** Synthesizes stage `local` into the state directory and fits it; what was changed is written beside it, to `fitted.json`. Needs no cloud. */
export async function synthesize(state: StateDirectory, options: DeployOptions = {}): Promise<void> {
  const args = [cdk, 'synth', '--quiet', '--no-notices', '--no-version-reporting', '-c', 'stage=local', '--output', state.assembly];
  await runCommand('Synthesizing the app', process.execPath, args, command(state, isolatedEnvironment(state), 'synth.log', options));
  writeFileSync(join(state.cloud, 'fitted.json'), `${JSON.stringify(fitAssembly(state.assembly), undefined, 1)}\n`);
}

/** Makes the bucket for assets and what else the CDK needs in an account, in both regions. */
export async function bootstrap(state: StateDirectory, endpoint: string, options: DeployOptions = {}): Promise<void> {
  const args = [cdk, 'bootstrap', `aws://${localAccount}/${localRegion}`, `aws://${localAccount}/${localSecondRegion}`, '--no-notices'];
  // Run where no cdk.json is: with one, the CLI would synthesize the app just to bootstrap.
  await runCommand('Bootstrapping the local account', process.execPath, args, command(state, localEnvironment(state, endpoint), 'bootstrap.log', { ...options, app: state.cloud }));
}

/** Deploys synthesized stacks in this order, by one run of the CLI; resolves their outputs together. */
export async function deployStacks(state: StateDirectory, endpoint: string, stacks: readonly LocalStack[], options: DeployOptions = {}): Promise<Readonly<Record<string, string>>> {
  const name = stacks.at(-1) ?? '';
  const outputsFile = join(state.cloud, `${name}.outputs.json`);
  const args = [
    cdk, 'deploy', ...stacks, '--exclusively', '--app', state.assembly, '--require-approval', 'never', '--no-notices', '--progress', 'events',
    '--method', 'direct', '--outputs-file', outputsFile,
  ];
  await runCommand(`Deploying ${stacks.join(' and ')}`, process.execPath, args, command(state, localEnvironment(state, endpoint), `${name}.deploy.log`, options));
  const byStack = JSON.parse(readFileSync(outputsFile, 'utf8')) as Record<string, Record<string, string>>;
  return Object.assign({}, ...stacks.map((stack) => byStack[stack] ?? {})) as Record<string, string>;
}

/** The template of `stack` in the assembly that is deployed. */
export function templateFile(state: StateDirectory, stack: LocalStack): string {
  return join(state.assembly, `${stack}.template.json`);
}

function command(state: StateDirectory, env: Readonly<Record<string, string>>, log: string, options: DeployOptions) {
  return { env, log: join(state.cloud, log), cwd: options.app ?? projectRoot, ...(options.signal === undefined ? {} : { signal: options.signal }) };
}
