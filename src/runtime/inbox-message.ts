/**
 * What the inbox queue carries: names of objects, told by the bucket's own notifications or by the sweeper. Nothing in a message is trusted beyond the name:
 * whether a delivery came through the front door is judged by the name's own HMAC.
 */

/** What `sweep-inbox` sends. */
export const inboxMessage = (name: string): string => JSON.stringify({ name });

/** Names of the deliveries a message is about; none for S3's test notification. 'unknown': no message of ours or S3's. */
export function namesIn(body: string): readonly string[] | 'unknown' {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return 'unknown';
  }
  if (typeof message !== 'object' || message === null) return 'unknown';
  const { name, Records: records, Event: event } = message as { name?: unknown; Records?: unknown; Event?: unknown };
  if (event === 's3:TestEvent') return [];
  if (typeof name === 'string') return deliveries([name]);
  if (!Array.isArray(records)) return 'unknown';
  const names = records.map((record: { s3?: { object?: { key?: unknown } } } | null) => record?.s3?.object?.key);
  return names.every((key) => typeof key === 'string') ? deliveries(names.map(decoded)) : 'unknown';
}

/** S3 writes keys in its notifications as HTML forms do. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

/** Names of ours have no other characters, so a name may stand in a log line whoever sent it. What does not fit stays in the bucket and ages into an alarm. */
const DELIVERY = /^delivery\/[A-Za-z0-9._-]{1,200}$/;
/** The bucket holds content too, which is nobody's delivery. */
const deliveries = (names: readonly string[]): readonly string[] => names.filter((name) => DELIVERY.test(name));
