/** Projections: conversation summaries and counters. Derived, never sealed, rebuilt from records at any time. */
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
import { Table, type TableProps } from './table';

export class ViewsTable extends Table {
  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id, props, { env: Env.VIEWS_TABLE, expires: true });
  }

  /** Lets `fn` apply each change once: the view and the mark of the change in one transaction. */
  grantProject(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem', 'UpdateItem']);
  }
}
