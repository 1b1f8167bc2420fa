/**
 * The records table in memory, with its stream: what DynamoDB promises (conditions, transactions, order, no event for a write that changes
 * nothing), for tests that need thousands of worlds. `byHand` is the adversary at the console: unconditional writes that the stream sees too.
 */
import { canonicalImage, parseCanonicalImage } from '../../core/canonical-image';
import { integerOf, keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import { KeySchema } from '../../core/table-keys';
import { PortError, type Clock, type IndexedKey, type IndexRange, type Random, type RecordStore, type RecordWrite, type StreamEvent } from '../../ports';

export interface MemoryRecords extends RecordStore {
  /** Every change so far, in order, as the stream would deliver it. */
  readonly stream: readonly StreamEvent[];
  /** `peek` and `all` see what is there now, so that what follows them in the same breath is one step. `decay`: a bit that flipped at rest, which no stream sees. */
  readonly byHand: { put(image: Image): void; remove(key: TableKey): void; decay(image: Image): void; peek(key: TableKey): Image | 'absent'; all(): readonly Image[] };
}

/** DynamoDB's own limit. */
const MAX_TRANSACTION = 100;
const nameOf = (key: TableKey): string => JSON.stringify([key.pk, key.sk]);
const inByteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function memoryRecords({ now, random }: { readonly now: Clock; readonly random: Random }): MemoryRecords {
  const items = new Map<string, Buffer>();
  const stream: StreamEvent[] = [];

  const read = (key: TableKey): Image | 'absent' => {
    const bytes = items.get(nameOf(key));
    return bytes === undefined ? 'absent' : parseCanonicalImage(bytes);
  };
  const write = (key: TableKey, image: Image | undefined): void => {
    const before = items.get(nameOf(key));
    // Through the bytes, so that no caller shares memory with the store and an image DynamoDB could not hold is refused here.
    const after = image === undefined ? undefined : canonicalImage(image);
    if (after === undefined) items.delete(nameOf(key));
    else items.set(nameOf(key), after);
    const changedNothing = before === undefined ? after === undefined : after?.equals(before) === true;
    if (!changedNothing) stream.push(eventOf(key, before, after));
  };
  const eventOf = (key: TableKey, before: Buffer | undefined, after: Buffer | undefined): StreamEvent => {
    const eventId = random(16).toString('hex');
    const createdAtMs = Math.floor(now().getTime() / 1000) * 1000; // the stream's clock has whole seconds
    const op = after === undefined ? 'REMOVE' : before === undefined ? 'INSERT' : 'MODIFY';
    const images = { ...(before && { OldImage: JSON.parse(before.toString()) as unknown }), ...(after && { NewImage: JSON.parse(after.toString()) as unknown }) };
    return {
      eventId,
      op,
      createdAtMs,
      key,
      ...(before && { oldImage: parseCanonicalImage(before) }),
      ...(after && { newImage: parseCanonicalImage(after) }),
      raw: Buffer.from(JSON.stringify({ eventID: eventId, eventName: op, dynamodb: { ApproximateCreationDateTime: createdAtMs / 1000, Keys: { pk: { S: key.pk }, sk: { S: key.sk } }, ...images } })),
    };
  };
  /** What refuses this write, or undefined where its condition holds. */
  const refusal = (each: RecordWrite): Image | 'absent' | undefined => {
    const there = read('key' in each ? each.key : keyOf(each.image));
    if (each.op === 'create' || each.op === 'check-absent') return there === 'absent' ? undefined : there;
    return there !== 'absent' && integerOf(there, 'rev') === each.ifRev ? undefined : there;
  };
  const all = (): Image[] => [...items.values()].map(parseCanonicalImage);
  const indexed = async function* (index: { readonly pk: string; readonly sk: string }, value: string, { since = '', until, newestFirst = false }: IndexRange = {}): AsyncGenerator<IndexedKey> {
    const at = (image: Image): string => stringOf(image, index.sk) as string;
    const found = all().filter((image) => stringOf(image, index.pk) === value && stringOf(image, index.sk) !== undefined);
    const wanted = found.filter((image) => at(image) >= since && (until === undefined || at(image) < until)).sort((a, b) => inByteOrder(at(a), at(b)));
    yield* (newestFirst ? wanted.reverse() : wanted).map((image) => ({ ...keyOf(image), receivedAt: at(image) }));
  };

  return {
    stream,
    byHand: { put: (image) => write(keyOf(image), image), remove: (key) => write(key, undefined), decay: (image) => void items.set(nameOf(keyOf(image)), canonicalImage(image)), peek: read, all },
    get: async (key) => read(key),
    create: async (image) => {
      const there = refusal({ op: 'create', image });
      if (there !== undefined && there !== 'absent') return { exists: there };
      write(keyOf(image), image);
      return 'created';
    },
    replace: async (image, ifRev) => {
      const there = refusal({ op: 'replace', image, ifRev });
      if (there !== undefined) return { stale: there };
      write(keyOf(image), image);
      return 'replaced';
    },
    transact: async (writes) => {
      const names = writes.map((each) => nameOf('key' in each ? each.key : keyOf(each.image)));
      if (writes.length === 0 || writes.length > MAX_TRANSACTION || new Set(names).size < names.length) {
        throw new PortError('corrupt', `a transaction has 1 to ${MAX_TRANSACTION} writes, no two to one item; this one ${writes.length}`);
      }
      const refused = writes.map(refusal);
      if (refused.some((each) => each !== undefined)) return { refused };
      for (const each of writes) if ('image' in each) write(keyOf(each.image), each.image);
      return 'done';
    },
    partition: async function* (pk, skPrefix = '', { newestFirst = false, before, limit } = {}) {
      const ofPartition = `${JSON.stringify([pk]).slice(0, -1)},`;
      const found = [...items].filter(([name]) => name.startsWith(ofPartition)).map(([, bytes]) => parseCanonicalImage(bytes)).filter((image) => stringOf(image, 'sk')?.startsWith(skPrefix));
      const wanted = before === undefined ? found : found.filter((image) => inByteOrder(keyOf(image).sk, before) < 0);
      const inOrder = wanted.sort((a, b) => inByteOrder(keyOf(a).sk, keyOf(b).sk));
      yield* (newestFirst ? inOrder.reverse() : inOrder).slice(0, limit);
    },
    ofCustomer: (customerId, range) => indexed(KeySchema.byCustomer, customerId, range),
    ofOperator: (operatorId, range) => indexed(KeySchema.byOperator, operatorId, range),
    scan: async function* (options) {
      yield* all().filter((image) => options?.kinds === undefined || options.kinds.includes(stringOf(image, 'kind') ?? ''));
    },
  };
}
