/** The people who run a stage: roles that nobody assumes without a second factor. A stack of its own, deployed and changed apart from what they run. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { OperatorRoles } from './constructs/operator-roles';
import type { DataStack } from './data-stack';
import type { Stage } from './stage';
import type { TrailStack } from './trail-stack';

export interface OperatorsStackProps extends StackProps {
  readonly stage: Stage;
  readonly operators: NonNullable<Stage['operators']>;
  readonly data: DataStack;
  readonly trail: TrailStack | undefined;
}

export class OperatorsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperatorsStackProps) {
    const { stage, operators, data, trail, ...stackProps } = props;
    super(scope, id, stackProps);
    new OperatorRoles(this, 'Roles', { stage, operators, data, trail });
  }
}
