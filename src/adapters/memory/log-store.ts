/** The log table in memory: a head that is compared and swapped, rounds, marks. `tables` is what an adversary with write access would edit. */
import { PortError, type Head, type LogIdentity, type LogStore, type Round } from '../../ports';

/** Of 100 actions in a transaction two are the head and the round. */
const MAX_MINUTES = 98;

export interface MemoryLog extends LogStore {
  readonly tables: {
    head: Head | undefined;
    identity: LogIdentity | undefined;
    readonly rounds: Map<number, Round>;
    /** Minute → where the round began, or 'recovered' → marks. */
    readonly marks: Map<number, Map<number | 'recovered', Set<string>>>;
    readonly unsealed: Map<string, string>;
  };
}

export function memoryLog(): MemoryLog {
  const tables: MemoryLog['tables'] = { head: undefined, identity: undefined, rounds: new Map(), marks: new Map(), unsealed: new Map() };
  const putMarks = (by: number | 'recovered', marks: ReadonlyMap<number, readonly Buffer[]>): void => {
    for (const [minute, some] of marks) {
      const those = tables.marks.get(minute) ?? new Map<number | 'recovered', Set<string>>();
      those.set(by, new Set([...(those.get(by) ?? []), ...some.map((mark) => mark.toString('hex'))]));
      tables.marks.set(minute, those);
    }
  };
  const inOrder = (): Round[] => [...tables.rounds.values()].sort((a, b) => a.from - b.from);
  return {
    tables,
    readHead: async () => tables.head ?? 'absent',
    sealedMarks: async (minutes) => new Set(minutes.flatMap((minute) => [...(tables.marks.get(minute)?.values() ?? [])].flatMap((some) => [...some]))),
    commitRound: async ({ expected, head, round, marks }) => {
      if (marks.size > MAX_MINUTES) throw new PortError('corrupt', `a round's marks lie in at most ${MAX_MINUTES} minutes, these in ${marks.size}`);
      const headIsAsRead = tables.head?.size === expected.size && tables.head.root.equals(expected.root);
      const there = tables.rounds.get(round.from);
      const isFree = there === undefined && ![...marks.keys()].some((minute) => tables.marks.get(minute)?.has(round.from));
      if (headIsAsRead && isFree) {
        tables.head = head;
        tables.rounds.set(round.from, round);
        putMarks(round.from, marks);
        return 'moved';
      }
      if (there !== undefined && sameRound(there, round)) return 'moved';
      if (!headIsAsRead) return 'lost';
      throw new PortError('corrupt', `the head has not passed entry ${round.from}, but another round or its marks are there already`);
    },
    rounds: async function* (fromEntry) {
      yield* inOrder().filter(({ from, n }) => from + n > fromEntry);
    },
    roundsByTime: async function* (since, until) {
      yield* inOrder().filter(({ time }) => time >= since && (until === undefined || time < until));
    },
    identity: async () => tables.identity ?? 'absent',
    initialize: async (identity, head) => {
      if (tables.identity !== undefined || tables.head !== undefined) return 'exists';
      tables.identity = identity;
      tables.head = head;
      return 'created';
    },
    forceHead: async ({ head, rounds, marks, withdrawn }) => {
      for (const from of [...tables.rounds.keys()]) if (from >= head.size) tables.rounds.delete(from);
      for (const round of rounds) tables.rounds.set(round.from, round);
      putMarks('recovered', marks);
      for (const [minute, froms] of withdrawn) for (const from of froms) tables.marks.get(minute)?.delete(from);
      tables.head = head;
    },
    unsealedStates: async function* () {
      for (const [state, seenAt] of [...tables.unsealed]) yield { state, seenAt };
    },
    noteUnsealed: async (state, seenAt) => {
      if (!tables.unsealed.has(state)) tables.unsealed.set(state, seenAt);
    },
    forgetUnsealed: async (state) => {
      tables.unsealed.delete(state);
    },
  };
}

const sameRound = (a: Round, b: Round): boolean => a.from === b.from && a.n === b.n && a.segment === b.segment && a.time === b.time;
