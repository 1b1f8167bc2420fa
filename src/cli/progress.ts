/** Progress on stderr: one line redrawn in place where a person watches, otherwise a line now and then, so that a log of a run stays short. */
import type { Clock } from '../ports';
import type { Io } from './io';

export interface Progress {
  tell(line: string): void;
  /** Clears the redrawn line. Idempotent. */
  end(): void;
}

const redrawEveryMs = 100;
const lineEveryMs = 10_000;

/** Nothing is shown in the first moments: quick work needs no progress. */
export function progress(io: Io, now: Clock): Progress {
  let last = now().getTime();
  let drawn = false;
  const clear = (): void => {
    if (drawn) io.stderr.write('\r\u001b[K');
    drawn = false;
  };
  return {
    tell: (line) => {
      const at = now().getTime();
      if (at - last < (io.interactive ? redrawEveryMs : lineEveryMs)) return;
      last = at;
      clear();
      io.stderr.write(io.interactive ? line : `${line}\n`);
      drawn = io.interactive;
    },
    end: clear,
  };
}
