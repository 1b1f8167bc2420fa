/** The log table in memory: a head that is compared and swapped, rounds, marks. `tables` is what an adversary with write access would edit. */
import { PortError, type Head, type LogIdentity, type LogStore, type Round } from '../../ports';

/** Of 100 actions in a transaction two are the head and the round. */
const MAX_MINUTES = 98;

export interface MemoryLog extends LogStore {
  readonly tables: {
    head: Head | undefined;
    identity: LogIdentity | undefined;
    readonly rounds: Map<number, Round>;
    readonly marks: Map<number, Set<string>>;
    readonly unsealed: Map<string, string>;
  };
}

export function memoryLog(): MemoryLog {
  const tables: MemoryLog['tables'] = { head: undefined, identity: undefined, rounds: new Map(), marks: new Map(), unsealed: new Map() };
  const putMarks = (marks: ReadonlyMap<number, readonly Buffer[]>): void => {
    for (const [minute, some] of marks) tables.marks.set(minute, new Set([...(tables.marks.get(minute) ?? []), ...some.map((mark) => mark.toString('hex'))]));
  };
  const inOrder = (): Round[] => [...tables.rounds.values()].sort((a, b) => a.from - b.from);
  return {
    tables,
    readHead: async () => tables.head ?? 'absent',
    sealedMarks: async (minutes) => new Set(minutes.flatMap((minute) => [...(tables.marks.get(minute) ?? [])])),
    commitRound: async ({ expected, head, round, marks }) => {
      if (marks.size > MAX_MINUTES) throw new PortError('corrupt', `a round's marks lie in at most ${MAX_MINUTES} minutes, these in ${marks.size}`);
      const headIsAsRead = tables.head?.size === expected.size && tables.head.root.equals(expected.root);
      if (!headIsAsRead || tables.rounds.has(round.from)) return 'lost';
      tables.head = head;
      tables.rounds.set(round.from, round);
      putMarks(marks);
      return 'moved';
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
    forceHead: async (head, rounds, marks) => {
      for (const from of [...tables.rounds.keys()]) if (from >= head.size) tables.rounds.delete(from);
      for (const round of rounds) tables.rounds.set(round.from, round);
      putMarks(marks);
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
