/** The CDK app: one stage, chosen by `-c stage=<name>` (default dev), as its stacks (lib/intact.ts), checked against the AwsSolutions rules at every synthesis. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleLambdas } from '../lib/constructs/lambda-bundles';
import { intact } from '../lib/intact';
import { readStage, StageError } from '../lib/stage';

const root = join(__dirname, '..');

async function main(): Promise<void> {
  const app = new App();
  const stage = readStage(String(app.node.tryGetContext('stage') ?? 'dev'), join(root, 'stages'));
  const bundles = join(app.outdir, 'lambdas');
  // Chunks are named by their content: those of earlier builds would be deployed along.
  rmSync(bundles, { recursive: true, force: true });
  intact(app, stage, await bundleLambdas(join(root, 'lambdas'), bundles));
  app.synth();
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof StageError ? `${error.message}\n` : `${(error as Error)?.stack ?? String(error)}\n`);
  process.exitCode = 1;
});
