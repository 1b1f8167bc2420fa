/** List prices of us-east-1 without free tier, dollars for one, and sums of what is paid for. Check the prices before you rely on a dollar figure; the counts stay. */
export const PRICE = {
  httpApi: 1 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  lambdaGBs: 0.0000133334,
  write: 0.625 / 1e6,
  read: 0.125 / 1e6,
  put: 0.005 / 1e3,
  get: 0.0004 / 1e3,
  sign: 0.15 / 1e4,
  alarm: 0.1,
  metric: 0.3,
  key: 1,
  secret: 0.4,
  /** Put of a replica, in the second region. */
  replica: 0.005 / 1e3,
  /** A gigabyte from region to region, and what replication with time control adds to it. */
  transferGB: 0.02 + 0.015,
  storedGBMonth: 0.023,
} as const;

/** `put`: a listing of up to 1,000 names costs as much. */
export type Unit = 'httpApi' | 'lambdaRequest' | 'write' | 'read' | 'put' | 'get' | 'sign';
export type Counts = Partial<Record<Unit, number>>;

export const sum = (...all: Counts[]): Counts => all.reduce<Record<string, number>>((total, each) => {
  for (const [unit, n] of Object.entries(each)) total[unit] = (total[unit] ?? 0) + n;
  return total;
}, {});
export const scaled = (counts: Counts, by: number): Counts => Object.fromEntries(Object.entries(counts).map(([unit, n]) => [unit, n * by]));
export const dollars = (counts: Counts): number => Object.entries(counts).reduce((total, [unit, n]) => total + n * PRICE[unit as Unit], 0);
/** Of a function: billed milliseconds at so much memory. */
export const compute = ({ ms, GB }: { readonly ms: number; readonly GB: number }): number => (ms / 1000) * GB * PRICE.lambdaGBs;
export const money = (value: number): string => `$${value.toFixed(2)}`;
