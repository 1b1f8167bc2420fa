/**
 * Examines the bundles of a directory on several threads, the caller's among them: while it waits for a bundle that another thread has, it examines one
 * further on itself. Threads only make it faster: one that cannot start or dies leaves its work to the caller.
 */
import type { Worker } from 'node:worker_threads';
import type { AgreeingBundle } from '../../core/verify/examine-bundle';
import type { BundleRange, BundleRun } from '../../ports/vault-reader';
import { examineFiles } from './bundle-files';
import type { TaskAnswer } from './bundle-worker';

export interface BundleThreads {
  /** Threads beside the caller's. */
  readonly count: number;
  /** Starts a thread that runs bundle-worker.ts. How depends on how this program itself was built and loaded. */
  start(): Worker | Promise<Worker>;
  /** Bundles below which none is started; a log so small is verified sooner than a thread is up. */
  readonly least?: number;
}

interface Place {
  readonly directory: string;
  readonly maxObjectSize: number;
}

/** Bundles in one task: some milliseconds of work, far above the cost of handing it over. */
const TASK = 8;
/** Tasks a thread has at once: the next one is there when it finishes the first. */
const TASKS_EACH = 2;
/** Bundles examined beyond the one asked for: bounds the memory (10 MB of ordinary entries, 16 MB a bundle at the very most)… */
const WINDOW = 48;
/** …where it is more than a root that is kept of each. */
const WINDOW_OF_ROOTS = 4096;
/** 32,768 entries: some 80 ms on one thread. */
const LEAST = 128;

export function runBundles(place: Place, threads: BundleThreads | undefined, range: BundleRange): BundleRun {
  const done = new Map<number, AgreeingBundle | undefined>();
  const crews = new Set<{ readonly worker: Worker; readonly tasks: Set<number> }>();
  const window = range.judgeEntries ? WINDOW : WINDOW_OF_ROOTS;
  let next = range.from;
  let asked = range.from;
  let ended = false;
  let wake = (): void => undefined;

  const taskOf = (first: number) => ({ ...place, first, count: Math.min(TASK, range.to - first), judgeEntries: range.judgeEntries });
  const examineHere = (first: number): void => {
    const task = taskOf(first);
    examineFiles(task).forEach((result, i) => done.set(first + i, result));
  };
  const takeTask = (): number => {
    const first = next;
    next = Math.min(range.to, next + TASK);
    return first;
  };
  const mayGoOn = (): boolean => !ended && next < range.to && next - asked < window;

  const employ = (worker: Worker): void => {
    const crew = { worker, tasks: new Set<number>() };
    crews.add(crew);
    worker.on('message', ({ first, results }: TaskAnswer) => {
      crew.tasks.delete(first);
      results.forEach((result, i) => done.set(first + i, arrived(result)));
      feed();
      wake();
    });
    const leave = (): void => {
      crews.delete(crew);
      wake();
    };
    worker.on('error', leave).on('exit', leave);
    feed();
  };
  const feed = (): void => {
    for (const { worker, tasks } of crews) {
      while (tasks.size < TASKS_EACH && mayGoOn()) {
        const first = takeTask();
        tasks.add(first);
        worker.postMessage(taskOf(first));
      }
    }
  };

  const wanted = range.to - range.from < (threads?.least ?? LEAST) ? 0 : (threads?.count ?? 0);
  for (let i = 0; i < wanted; i++) {
    void Promise.resolve(threads!.start()).then(
      (worker) => (ended ? void worker.terminate() : employ(worker)),
      () => undefined,
    );
  }

  return {
    async take(index) {
      asked = index;
      feed();
      while (!done.has(index)) {
        const elsewhere = [...crews].some(({ tasks }) => [...tasks].some((first) => first <= index && index < first + TASK));
        if (index >= next || (elsewhere && mayGoOn())) examineHere(takeTask());
        // Its thread is gone; or there is nothing else to do, and doing it twice costs nobody anything.
        else if (!elsewhere || next >= range.to) examineHere(index - ((index - range.from) % TASK));
        else {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        await new Promise(setImmediate); // lets threads start, and answers arrive
      }
      const result = done.get(index);
      done.delete(index);
      return result;
    },
    end() {
      ended = true;
      for (const { worker } of crews) void worker.terminate();
    },
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function arrived(result: TaskAnswer['results'][number]): AgreeingBundle | undefined {
  if (result === undefined) return undefined;
  const { root, judged } = result;
  return { root: asBuffer(root), ...(judged === undefined ? {} : { judged: { ...judged, bundle: asBuffer(judged.bundle), tile: asBuffer(judged.tile) } }) };
}
