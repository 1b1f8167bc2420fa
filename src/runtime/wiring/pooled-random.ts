/**
 * Randomness in large draws: a system call costs more than the bytes it brings, and a first contact asks for a handful of them twenty times. No byte is handed out
 * twice. Not for keys, which should lie nowhere but where they are used.
 */
import type { Random } from '../../ports';

const POOL_BYTES = 4_096;

export function pooled(draw: Random): Random {
  let pool: Buffer = Buffer.alloc(0);
  return (n) => {
    if (n > POOL_BYTES) return draw(n);
    if (n > pool.length) pool = draw(POOL_BYTES);
    const bytes = pool.subarray(0, n);
    pool = pool.subarray(n);
    return bytes;
  };
}
