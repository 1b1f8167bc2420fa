import { CanonicalJsonError } from '../../src/core/canonical-json';
import { PortError } from '../../src/ports';
import { failureFields, log, type LogFields } from '../../src/runtime/log';
import { invocationMeter } from '../../src/runtime/metrics';
import { captured } from './captured';

test('a line holds the fields of the list and nothing else, whatever is handed in', () => {
  const lines = captured(() => {
    const careless = { deliveryId: 'd', recorded: 2, ok: true, text: 'MARKER', body: { text: 'MARKER' }, status: { text: 'MARKER' } } as unknown as LogFields;
    log.info('delivery accepted', careless);
  });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ level: 'INFO', time: expect.any(String) as string, message: 'delivery accepted', deliveryId: 'd', recorded: 2, ok: true }]);
});

test('an error of ours is told with its words, any other without', () => {
  expect(failureFields(new PortError('denied', 'could not read x'))).toMatchObject({ error: 'PortError', code: 'denied', detail: 'could not read x' });
  let quoting: unknown;
  try {
    JSON.parse('{"text":"MARKER"');
  } catch (error) {
    quoting = error;
  }
  for (const error of [quoting, new CanonicalJsonError('type', 'MARKER'), new Error('MARKER\n    at MARKER (a:1:1)'), new TypeError('MARKER', { cause: 'MARKER' })]) {
    const lines = captured(() => log.error('it failed', error));
    expect(lines.join()).not.toContain('MARKER');
    expect(lines.join()).toContain('log.test.ts');
  }
  expect(failureFields('MARKER')).toEqual({ error: 'string' });
});

test('metrics are one line in the embedded format, with the stage as their only dimension, and are written once', () => {
  const meter = invocationMeter('test');
  const lines = captured(() => {
    meter.count('EventsRecorded');
    meter.count('EventsRecorded', 2);
    meter.gauge('SealLag', 1.5, 'Seconds');
    meter.flush();
    meter.flush();
  });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    _aws: {
      Timestamp: expect.any(Number) as number,
      CloudWatchMetrics: [
        {
          Namespace: 'Intact',
          Dimensions: [['stage']],
          Metrics: [
            { Name: 'EventsRecorded', Unit: 'Count' },
            { Name: 'SealLag', Unit: 'Seconds' },
          ],
        },
      ],
    },
    stage: 'test',
    EventsRecorded: 3,
    SealLag: 1.5,
  });
});
