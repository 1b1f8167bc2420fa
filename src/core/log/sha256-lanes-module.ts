/**
 * A WebAssembly module that computes the hashes of a Merkle tree (RFC 6962, section 2.1) four at a time, one in each 32-bit lane of the 128-bit vectors: messages
 * are so short that calling a library for each costs as much as hashing it. The module is put together here, instruction by instruction, so that neither a
 * compiler nor a binary file belongs to the core of the log; test/core/log/sha256-lanes.test.ts holds it against node:crypto.
 *
 *     memory "m"               free for the caller from FREE on
 *     "n"(from, to, groups)    inner nodes: hashes 4 · groups pairs (64 bytes each, from `from` on) behind 0x01 to 32 bytes each at `to`. `to` may be `from`.
 *     "t"(to, from, rest, bits) writes the padded end of a message of `bits` bits to `to`, whose `rest` (< 64) last bytes are at `from`: one block of 64 bytes,
 *                              two when `rest` > 55. What is to become the second block must be zero.
 *     "l"(table, groups)       leaves: hashes 4 · groups messages as `table` says, four to a row of ROW bytes. Columns of four words each: where the message
 *                              begins; where its end (as "t" wrote it) is, less 64 · full; full, its whole blocks before that end; all its blocks, ascending
 *                              within a row; where to put the hash. The first byte of each message is taken for 0x00, whatever it is.
 */

/** The module keeps its constants below; "n" also reads the byte before the first pair. */
export const FREE = 512;
/** Bytes of a row of the table of "l". */
export const ROW = 5 * 16;
const KEEP = 256; // 64 times 0xff, then 64 times 0x00

/** FIPS 180-4, section 4.2.2 and 5.3.3. */
const ROUND_CONSTANTS =
  '428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5d807aa9812835b01243185be550c7dc372be5d7480deb1fe9bdc06a7c19bf174' +
  'e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca635114292967' +
  '27b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070' +
  '19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2';
const INITIAL_STATE = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const BITS = 65 * 8;

type Code = readonly number[];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest & 127);
  return bytes;
}

const join = (...parts: readonly Code[]): Code => ([] as number[]).concat(...parts);
const each = (n: number, code: (i: number) => Code): Code => join(...Array.from({ length: n }, (_, i) => code(i)));
const sized = (code: Code): Code => join(unsigned(code.length), code);
const list = (...items: readonly Code[]): Code => join(unsigned(items.length), ...items);
const section = (id: number, content: Code): Code => join([id], sized(content));
const simd = (op: number, ...rest: readonly number[]): Code => [0xfd, ...unsigned(op), ...rest];

const [I32, V128] = [0x7f, 0x7b];
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const tee = (local: number): Code => [0x22, local];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const step = (local: number, by: number): Code => join(get(local), i32(by), [0x6a], set(local));
const ifElse = (condition: Code, then: Code, otherwise: Code): Code => join(condition, [0x04, 0x40], then, [0x05], otherwise, [0x0b]);
/** Repeats `body` as long as `condition` is not 0. */
const repeatWhile = (condition: Code, body: Code): Code => join([0x03, 0x40], body, condition, [0x0d, 0x00, 0x0b]);

const [ADD, XOR, OR, AND] = [simd(0xae), simd(0x51), simd(0x50), simd(0x4e)];
/** Bits of the first operand where the third has 1, of the second where it has 0. */
const SELECT = simd(0x52);
const shiftLeft = (bits: number): Code => join(i32(bits), simd(0xab));
const shiftRight = (bits: number): Code => join(i32(bits), simd(0xad));
const load = (offset: number): Code => simd(0x00, 0x00, ...unsigned(offset));
const store = (offset: number): Code => simd(0x0b, 0x00, ...unsigned(offset));
const loadByte = (offset: number): Code => [0x2d, 0x00, ...unsigned(offset)];
const loadSplat = (offset: number): Code => simd(0x09, 0x00, ...unsigned(offset));
const loadWord = (offset: number): Code => [0x28, 0x00, ...unsigned(offset)];
const I32_SPLAT = simd(0x11);
const I32_NE = [0x47];
/** Signed, lane by lane. */
const GREATER = simd(0x3b);
const extractLane = (lane: number): Code => simd(0x1b, lane);
const splat = (value: number): Code => join(i32(value | 0), I32_SPLAT);
const replaceLane = (lane: number): Code => simd(0x1c, lane);
const words = (...order: readonly number[]): Code => simd(0x0d, ...order.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]));
const swapBytes = (local: number): Code => join(get(local), get(local), simd(0x0d, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));

// Locals, laid out alike in both kernels: parameters and counters, then the vectors.
const [BLOCK, KEY] = [3, 4];
const INTEGERS = 9;
const STATE = INTEGERS; // eight words
const VARIABLES = STATE + 8; // a…h
const SCHEDULE = VARIABLES + 8; // sixteen words
const SCRATCH = SCHEDULE + 16; // four
const ACTIVE = SCRATCH + 4; // all ones in the lanes that take part in this block
const [DIFFER, DIFFERED] = [ACTIVE + 1, ACTIVE + 2];
const VECTORS = 8 + 8 + 16 + 4 + 3;

const rotated = (local: number, bits: number): Code => join(get(local), shiftRight(bits), get(local), shiftLeft(32 - bits), OR);
const sigma = (local: number, one: number, two: number, third: Code): Code => join(rotated(local, one), rotated(local, two), XOR, third, XOR);

/** Round `i` of sixteen; the working variables are renamed, not moved, and after eight rounds bear their own names again. */
function round(i: number): Code {
  const at = (variable: number): number => VARIABLES + ((variable + 16 - i) % 8);
  const [a, b, d, e, f, g, h] = [at(0), at(1), at(3), at(4), at(5), at(6), at(7)];
  const choice = join(get(f), get(g), get(e), SELECT);
  // Majority: b, but a and c's bit where b differs from both. What a ^ b is now, b ^ c was in the round before.
  const [differ, differed] = i % 2 === 0 ? [DIFFER, DIFFERED] : [DIFFERED, DIFFER];
  const majority = join(get(a), get(b), XOR, tee(differ), get(differed), AND, get(b), XOR);
  return join(
    get(h), get(SCHEDULE + i), ADD, get(KEY), loadSplat(4 * i), ADD, choice, ADD, sigma(e, 6, 11, rotated(e, 25)), ADD, set(SCRATCH),
    get(d), get(SCRATCH), ADD, set(d),
    get(SCRATCH), majority, ADD, sigma(a, 2, 13, rotated(a, 22)), ADD, set(h),
  );
}

/** The word of the schedule sixteen rounds on, in the place of word `i`. */
function nextWord(i: number): Code {
  const w = (ahead: number): number => SCHEDULE + ((i + ahead) % 16);
  const small0 = sigma(w(1), 7, 18, join(get(w(1)), shiftRight(3)));
  const small1 = sigma(w(14), 17, 19, join(get(w(14)), shiftRight(10)));
  return join(get(w(0)), get(w(9)), ADD, small0, ADD, small1, ADD, set(w(0)));
}

/** From four rows to four columns, in place. */
function transpose(rows: readonly [number, number, number, number]): Code {
  const [a, b, c, d] = rows;
  const pair = (one: number, two: number, order: Code, to: number): Code => join(get(one), get(two), order, set(to));
  const [low, high, first, second] = [words(0, 4, 1, 5), words(2, 6, 3, 7), words(0, 1, 4, 5), words(2, 3, 6, 7)];
  const s = SCRATCH;
  return join(
    pair(a, b, low, s), pair(c, d, low, s + 1), pair(a, b, high, s + 2), pair(c, d, high, s + 3),
    pair(s, s + 1, first, a), pair(s, s + 1, second, b), pair(s + 2, s + 3, first, c), pair(s + 2, s + 3, second, d),
  );
}

const four = (from: number): [number, number, number, number] => [from, from + 1, from + 2, from + 3];

/** The sixteen words of four blocks; `row` leaves bytes 16q…16q+15 of a lane's block. */
function loadSchedule(row: (lane: number, q: number) => Code): Code {
  return each(4, (q) => {
    const words = SCHEDULE + 4 * q;
    return join(each(4, (lane) => join(row(lane, q), set(words + lane), swapBytes(words + lane), set(words + lane))), transpose(four(words)));
  });
}

const [FROM, TO, GROUPS, PART] = [0, 1, 2, 5];

/** Block 0: the prefix and the first 63 bytes of each pair, read one byte early so that the prefix takes the place of a foreign byte. */
const firstBlock = join(
  get(FROM), i32(1), [0x6b], set(PART),
  loadSchedule((lane, q) => join(get(PART), load(64 * lane + 16 * q))),
  get(SCHEDULE), splat(0x00ffffff), AND, splat(0x01000000), OR, set(SCHEDULE),
);

/** Block 1: the last byte of each pair, the padding and the length. */
const secondBlock = join(
  splat(0), each(4, (lane) => join(get(FROM), loadByte(64 * lane + 63), replaceLane(lane))), shiftLeft(24), splat(0x00800000), OR, set(SCHEDULE),
  splat(0), tee(SCHEDULE + 1), each(12, (i) => tee(SCHEDULE + 2 + i)), set(SCHEDULE + 14),
  splat(BITS), set(SCHEDULE + 15),
);

/** The 64 rounds over the schedule; `contribution` leaves what one working variable adds to the state. */
const compress = (contribution: (variable: number) => Code): Code => join(
  each(8, (i) => join(get(STATE + i), set(VARIABLES + i))),
  get(VARIABLES + 1), get(VARIABLES + 2), XOR, set(DIFFERED),
  i32(0), set(KEY),
  // KEY is where the constants of the next sixteen rounds are.
  repeatWhile(
    join(get(KEY), i32(256), I32_NE),
    join(each(16, round), step(KEY, 64), ifElse(join(get(KEY), i32(256), I32_NE), each(16, nextWord), [])),
  ),
  each(8, (i) => join(get(STATE + i), contribution(VARIABLES + i), ADD, set(STATE + i))),
);

/** `address` leaves where a lane's hash goes, less `offset(lane)`. */
const storeState = (address: (lane: number) => Code, offset: (lane: number) => number): Code =>
  each(2, (half) => join(transpose(four(STATE + 4 * half)), each(4, (lane) => join(address(lane), swapBytes(STATE + 4 * half + lane), store(offset(lane) + 16 * half)))));

const initialState = each(8, (i) => join(splat(INITIAL_STATE[i]!), set(STATE + i)));

const hashNodes = sized(
  join(
    list([INTEGERS - 3, I32], [VECTORS, V128]),
    repeatWhile(
      get(GROUPS),
      join(
        initialState,
        i32(0), set(BLOCK),
        repeatWhile(join(get(BLOCK), i32(2), I32_NE), join(ifElse(get(BLOCK), secondBlock, firstBlock), compress(get), step(BLOCK, 1))),
        storeState(() => get(TO), (lane) => 32 * lane),
        step(FROM, 256), step(TO, 128), step(GROUPS, -1),
      ),
    ),
    [0x0b],
  ),
);

// Columns of the table, as offsets in a row.
const [BEGIN, END, FULL, BLOCKS, TARGET] = [0, 16, 32, 48, 64];
const [TABLE, ROWS, POINTER] = [0, 1, 5]; // a pointer for each lane

const hashLeaves = sized(
  join(
    list([INTEGERS - 2, I32], [VECTORS, V128]),
    repeatWhile(
      get(ROWS),
      join(
        initialState,
        i32(0), set(BLOCK),
        repeatWhile(
          join(get(BLOCK), get(TABLE), loadWord(BLOCKS + 12), I32_NE),
          join(
            get(TABLE), load(BLOCKS), get(BLOCK), I32_SPLAT, GREATER, set(ACTIVE),
            get(TABLE), load(BEGIN), get(TABLE), load(END), get(TABLE), load(FULL), get(BLOCK), I32_SPLAT, GREATER, SELECT,
            get(BLOCK), i32(6), [0x74], I32_SPLAT, ADD, set(SCRATCH),
            each(4, (lane) => join(get(SCRATCH), extractLane(lane), set(POINTER + lane))),
            loadSchedule((lane, q) => join(get(POINTER + lane), load(16 * q))),
            ifElse(get(BLOCK), [], join(get(SCHEDULE), splat(0x00ffffff), AND, set(SCHEDULE))),
            compress((variable) => join(get(variable), get(ACTIVE), AND)),
            step(BLOCK, 1),
          ),
        ),
        storeState((lane) => join(get(TABLE), loadWord(TARGET + 4 * lane)), () => 0),
        step(TABLE, ROW), step(ROWS, -1),
      ),
    ),
    [0x0b],
  ),
);

const padEnd = (() => {
  const [to, from, rest, bits] = [0, 1, 2, 3];
  const swapped = join(
    get(bits), i32(24), [0x74],
    get(bits), i32(0xff00), [0x71], i32(8), [0x74], [0x72],
    get(bits), i32(8), [0x76], i32(0xff00), [0x71], [0x72],
    get(bits), i32(24), [0x76], [0x72],
  );
  const kept = (offset: number): Code => join(get(to), get(from), load(offset), i32(KEEP + 64), get(rest), [0x6b], load(offset), AND, store(offset));
  return sized(
    join(
      list(),
      each(4, (i) => kept(16 * i)),
      get(to), get(rest), [0x6a], i32(0x80), [0x3a, 0x00, 0x00],
      get(to), get(rest), i32(55), [0x4b], i32(6), [0x74], [0x6a], swapped, [0x36, 0x00, 60],
      [0x0b],
    ),
  );
})();

function constants(): number[] {
  const bytes = Buffer.alloc(FREE);
  Buffer.from(ROUND_CONSTANTS, 'hex').swap32().copy(bytes);
  bytes.fill(0xff, KEEP, KEEP + 64);
  return [...bytes];
}

/** The module's bytes; `pages` of 64 KiB are its memory. Kernels take at least one group. */
export const sha256LanesModule = (pages: number): Uint8Array =>
  Uint8Array.from(
    join(
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, list(...[3, 4, 2].map((parameters) => join([0x60, parameters], each(parameters, () => [I32]), [0])))),
      section(3, list([0], [1], [2])),
      section(5, list([0x00, ...unsigned(pages)])),
      section(7, list([1, 0x6d, 0x02, 0], [1, 0x6e, 0x00, 0], [1, 0x74, 0x00, 1], [1, 0x6c, 0x00, 2])),
      section(10, list(hashNodes, padEnd, hashLeaves)),
      section(11, list(join([0x00], i32(0), [0x0b], sized(constants())))),
    ),
  );
