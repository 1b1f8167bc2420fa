/** What golang.org/x/mod/sumdb/{tlog,note} answers to fixed inputs; written by test/oracles/vectors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ProofVector {
  readonly size: number;
  readonly of: number;
  readonly proof: readonly string[];
}

interface SumdbVectors {
  readonly source: string;
  /** Root at every size from 0. */
  readonly roots: readonly string[];
  readonly inclusion: readonly ProofVector[];
  readonly consistency: readonly ProofVector[];
  readonly indexPaths: Readonly<Record<string, string>>;
  readonly tiles: Readonly<Record<string, string>>;
  readonly notes: readonly { readonly text: string; readonly note: string; readonly vkeys: readonly string[] }[];
}

export const sumdb = JSON.parse(readFileSync(join(__dirname, '../../fixtures/log/sumdb-vectors.json'), 'utf8')) as SumdbVectors;

/** Entry i of the tree in the vectors. */
export const sumdbEntry = (i: number): Buffer => Buffer.from(`entry ${i}`);

export const hash = (base64: string): Buffer => Buffer.from(base64, 'base64');

/** How often fast-check runs a property: modest by default, `INTACT_FULL=1` for the full figures. */
export const propertyRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;
