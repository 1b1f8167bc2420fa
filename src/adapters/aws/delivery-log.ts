/**
 * The `DeliveryLog` port on CloudWatch Logs. The search is a help and no promise: every line is judged again by who asked. An answer that is as long as an answer can be and gives no way to go on is not taken for
 * the whole: its time is asked for in halves.
 */
import { CloudWatchLogsClient, FilterLogEventsCommand, type FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import { LINE_TEXT, type LineSource } from '../../core/reconciliation-lines';
import { PortError } from '../../ports';
import type { DeliveryLog } from '../../ports/delivery-log';
import { asking } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: CloudWatchLogsClient | undefined;

/** The container's one client, made when first asked for. */
export function cloudWatchLogs(): CloudWatchLogsClient {
  return (shared ??= cloudWatchLogsClient());
}

/** A client of its own, for tests and tools. A search reads a million bytes before it answers, and the service allows few a second: it gets more time and more tries than other calls. */
export function cloudWatchLogsClient(overrides: ClientOverrides = {}): CloudWatchLogsClient {
  const settings = sdkSettings(overrides);
  return new CloudWatchLogsClient({ ...settings, maxAttempts: 8, retryMode: 'adaptive', ...(overrides.requestHandler === undefined && { requestHandler: { ...settings.requestHandler, requestTimeout: 30_000 } }) } as ConstructorParameters<typeof CloudWatchLogsClient>[0] & object);
}

/** The most of one answer. */
const MOST = 10_000;

/** `groups`: names of the log groups. */
export function cloudWatchDeliveryLog(client: CloudWatchLogsClient, groups: Readonly<Record<LineSource, string>>): DeliveryLog {
  /** [from, to], milliseconds. */
  async function* between(source: LineSource, from: number, to: number): AsyncGenerator<FilteredLogEvent> {
    if (from > to) return;
    let next: string | undefined;
    do {
      const page = await asking(`read the log ${groups[source]}`, () =>
        client.send(new FilterLogEventsCommand({ logGroupName: groups[source], filterPattern: `"${LINE_TEXT[source]}"`, startTime: from, endTime: to, limit: MOST, ...(next !== undefined && { nextToken: next }) })),
      );
      const events = page.events ?? [];
      const isCut = next === undefined && page.nextToken === undefined && events.length >= MOST;
      if (isCut) return void (yield* inHalves(source, from, to));
      yield* events;
      next = page.nextToken;
    } while (next !== undefined);
  }

  async function* inHalves(source: LineSource, from: number, to: number): AsyncGenerator<FilteredLogEvent> {
    if (from === to) throw new PortError('corrupt', `the log ${groups[source]} has more lines of one millisecond than one answer holds, so not all of them can be read`);
    const middle = Math.floor((from + to) / 2);
    yield* between(source, from, middle);
    yield* between(source, middle + 1, to);
  }

  return {
    async *lines(source, since, until) {
      // The service may give a line on two pages; what it gives no id is told apart by nothing.
      const seen = new Set<string>();
      for await (const { eventId, timestamp, message } of between(source, since.getTime(), until.getTime() - 1)) {
        if (eventId !== undefined && seen.has(eventId)) continue;
        if (eventId !== undefined) seen.add(eventId);
        yield { at: new Date(timestamp ?? since.getTime()), text: message ?? '' };
      }
    },
  };
}
