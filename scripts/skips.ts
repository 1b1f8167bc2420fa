/**
 * When a test may be skipped: only where a tool it needs is absent, and its title says so: `… (go is not on the PATH)`, as test/oracles/go.ts writes it. A skip
 * whose tool is there, or that names none, is a failure: otherwise a test can rest for years without anybody noticing.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Skip {
  readonly justified: boolean;
  /** For a person: which test, and why it was skipped or must not be. */
  readonly reason: string;
}

export function judgeSkip(fullName: string, path = process.env['PATH'] ?? ''): Skip {
  const tool = /\(([a-z0-9.+-]+) is not on the PATH\)/.exec(fullName)?.[1];
  if (tool === undefined) return { justified: false, reason: `skipped without a reason: ${fullName}` };
  if (isOnPath(tool, path)) return { justified: false, reason: `skipped although ${tool} is on the PATH: ${fullName}` };
  return { justified: true, reason: fullName };
}

export function isOnPath(tool: string, path = process.env['PATH'] ?? ''): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK);
      return directory !== '';
    } catch {
      return false; // Not there, or not to be run: the same to us.
    }
  });
}
