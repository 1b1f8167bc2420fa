/** Step lines: what is being done, then how long it took. Plain text, the same on a terminal and in a log. */

/** Where lines go; stdout of `npm start`, stderr where stdout is data. */
export interface Steps {
  /** Prints `label`, runs `work`, completes the line with the seconds. A failure completes it with "failed" and passes on. */
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
  say(line: string): void;
}

const width = 58;

export function printedSteps(write: (text: string) => void, now: () => number = Date.now): Steps {
  return {
    say: (line) => write(`${line}\n`),
    async step(label, work) {
      write(`  ${label} ${'.'.repeat(Math.max(2, width - label.length))} `);
      const begin = now();
      try {
        const result = await work();
        write(`${((now() - begin) / 1000).toFixed(1).padStart(5)} s\n`);
        return result;
      } catch (error) {
        write('failed\n');
        throw error;
      }
    },
  };
}
