/** Acknowledges one finding of the rule packs, with the reason. A test pins how many there are, so that a new one is a decision somebody looks at. */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** `rule` as the report names it, with the finding in brackets where it has one; it holds for `on` and everything below it. */
export function reviewed(on: IConstruct, rule: string, reason: string): void {
  Validations.of(on).acknowledge({ id: rule, reason });
}
