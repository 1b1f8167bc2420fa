import { pooled } from '../../src/runtime/wiring/pooled-random';

test('random bytes from a pool are those that were drawn, none of them twice, however they are asked for', () => {
  const drawn: Buffer[] = [];
  let next = 0;
  const random = pooled((n) => {
    const bytes = Buffer.alloc(n);
    for (let at = 0; at + 4 <= n; at += 4) bytes.writeUInt32BE((next += 1), at);
    drawn.push(bytes);
    return bytes;
  });
  const numbers: number[] = [];
  for (const words of [1, 4, 900, 2, 1_000, 3, 2_000, 24, 1]) {
    const bytes = random(4 * words);
    expect(bytes).toHaveLength(4 * words);
    for (let at = 0; at < bytes.length; at += 4) numbers.push(bytes.readUInt32BE(at));
  }
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => number >= 1 && number <= next)).toBe(true);
  expect(drawn.length).toBeLessThan(9);
});
