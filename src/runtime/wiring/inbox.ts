/**
 * The inbox, whose S3 client is loaded by the first call that needs it: most deliveries are small and never do, and it would be a third of what a cold
 * start of receive-webhook loads.
 */
import type { Inbox } from '../../ports';

export function lazyInbox(bucket: string): Inbox {
  let loading: Promise<Inbox> | undefined;
  const inbox = (): Promise<Inbox> => (loading ??= Promise.all([import('../../adapters/aws/s3'), import('../../adapters/aws/s3-inbox')]).then(([{ s3 }, { s3Inbox }]) => s3Inbox(s3(), bucket)));
  return {
    put: async (name, bytes) => (await inbox()).put(name, bytes),
    get: async (name) => (await inbox()).get(name),
    remove: async (name) => (await inbox()).remove(name),
    async *list(prefix) {
      yield* (await inbox()).list(prefix);
    },
  };
}
