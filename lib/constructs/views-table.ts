/** Projections: conversation summaries and counters. Derived, never sealed, rebuilt from records at any time. */
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { viewKeys } from '../../src/core/table-keys';
import { Env } from '../../src/runtime/env';
import { Table, type TableProps } from './table';

/** Where the terms lie that customers are found by. */
const SEARCH = viewKeys.search('*', '').pk;
/** Where the API of staff remembers requests. */
const MEMORY = [viewKeys.idempotency('*').pk, viewKeys.limit('*').pk];

/** What goes with a customer who is erased. */
const ERASED = [viewKeys.conversation('*', '').pk, viewKeys.active('*', '', '').pk.replace(/#+$/, ''), viewKeys.about('*', { pk: '', sk: '' }).pk];

export class ViewsTable extends Table {
  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id, props, { env: Env.VIEWS_TABLE, expires: true });
  }

  /** Lets `fn` apply each change once: the view and the mark of the change in one transaction. */
  grantProject(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'PutItem', 'UpdateItem']);
    // A term that a customer no longer has must not find them any more, and what comes behind an erasure must not stay.
    this.allow(fn, ['DeleteItem'], { partitions: [SEARCH, ...ERASED] });
  }

  /** Lets `fn` look up which customers have a term; a term is a hash under a secret, so it finds what it knows to ask for. */
  grantSearch(fn: Lambda): void {
    this.allow(fn, ['GetItem', 'Query'], { partitions: [SEARCH] });
  }

  /** Lets `fn` find the edits, revokes and reactions about a message. */
  grantReadAbout(fn: Lambda): void {
    this.allow(fn, ['Query'], { partitions: [viewKeys.about('*', { pk: '', sk: '' }).pk] });
  }

  /** Lets `fn` find the answers about several customers that showed one of them. */
  grantReadShown(fn: Lambda): void {
    this.allow(fn, ['Query'], { partitions: [viewKeys.shown('*', '').pk] });
  }

  /** Lets `fn` remove what is summed up of a customer who is erased: conversations, days, what is about their messages. */
  grantErase(fn: Lambda): void {
    this.allow(fn, ['Query', 'DeleteItem'], { partitions: ERASED });
  }

  /** Lets `fn` remember what was asked under an Idempotency-Key and how much an operator asks (ports/request-memory.ts). */
  grantRemember(fn: Lambda): void {
    this.allow(fn, ['UpdateItem'], { partitions: MEMORY });
  }
}
