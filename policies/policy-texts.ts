/**
 * The policies and their schema as text: every `*.cedar` beside this file. Run from source it reads them; a bundle bears them in this file's place (lib/constructs/lambda-bundles.ts), so
 * that what was deployed is what was reviewed and nothing is looked for when a function starts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PolicyTexts {
  /** In Cedar's schema language; what the policies are checked against when they are tested. */
  readonly schema: string;
  /** File name without its ending → policies in Cedar's language. */
  readonly policies: Readonly<Record<string, string>>;
}

const text = (file: string): string => readFileSync(join(__dirname, file), 'utf8');
const names = readdirSync(__dirname).flatMap((file) => (file.endsWith('.cedar') ? [file.slice(0, -'.cedar'.length)] : [])).sort();

export const policyTexts: PolicyTexts = { schema: text('schema.cedarschema'), policies: Object.fromEntries(names.map((name) => [name, text(`${name}.cedar`)])) };
