/** The named mutants: each is one way this system could quietly stop being what it claims. `find` occurs exactly once in `file`. */

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Test files, at least one of which must fail. */
  readonly tests: readonly string[];
}

export const MUTANTS: readonly Mutant[] = [];
