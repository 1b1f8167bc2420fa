import { dataOfFilter, dataOfLine, inPuts } from '../../../local/fillers/metric-data';

/** The example of the embedded metric format's specification, with a second dimension set. */
const specified = JSON.stringify({
  _aws: { Timestamp: 1574109732004, CloudWatchMetrics: [{ Namespace: 'lambda-function-metrics', Dimensions: [['functionVersion'], []], Metrics: [{ Name: 'time', Unit: 'Milliseconds' }] }] },
  functionVersion: '$LATEST',
  time: 100,
  requestId: '989ffbf8-9ace-4817-a57c-e4dd734019ee',
});

describe('metric data', () => {
  it('of an EMF line hold each metric once per dimension set', () => {
    expect(dataOfLine(specified, 0)).toEqual([
      { namespace: 'lambda-function-metrics', name: 'time', dimensions: { functionVersion: '$LATEST' }, unit: 'Milliseconds', values: [100], at: 1574109732004 },
      { namespace: 'lambda-function-metrics', name: 'time', dimensions: {}, unit: 'Milliseconds', values: [100], at: 1574109732004 },
    ]);
  });

  it('of an EMF line with a list hold every value', () => {
    const line = specified.replace('"time":100', '"time":[1,2,3]');
    expect(dataOfLine(line, 0).map(({ values }) => values)).toEqual([[1, 2, 3], [1, 2, 3]]);
  });

  it.each(['START RequestId: 1', '{"level":"INFO"}', '{broken', '{"_aws":{"Timestamp":1}}', '[]'])('of an ordinary line are none: %s', (line) => {
    expect(dataOfLine(line, 0)).toEqual([]);
  });

  it('of a metric filter take the value and dimensions it selects', () => {
    const filter = { metricTransformations: [{ metricNamespace: 'Intact', metricName: 'Refused', metricValue: '$.count', dimensions: { stage: '$.stage' } }] };
    expect(dataOfFilter(filter, '{"count":4,"stage":"local"}', 5)).toEqual([{ namespace: 'Intact', name: 'Refused', dimensions: { stage: 'local' }, unit: 'None', values: [4], at: 5 }]);
    expect(dataOfFilter(filter, '{"count":"four"}', 5)).toEqual([]);
  });

  it('are put together by second and never beyond the limits of PutMetricData', () => {
    const one = { namespace: 'Intact', name: 'Received', dimensions: { stage: 'local' }, unit: 'Count', values: [1] };
    const puts = inPuts([...Array.from({ length: 301 }, (_, index) => ({ ...one, at: 1000 + index })), { ...one, at: 2000 }, { ...one, namespace: 'Other', at: 1 }]);
    expect(puts.map(({ Namespace, MetricData }) => [Namespace, MetricData?.map(({ Values, Timestamp }) => [Values?.length, Timestamp?.getTime()])])).toEqual([
      ['Intact', [[150, 1000], [150, 1000], [1, 1000], [1, 2000]]],
      ['Other', [[1, 0]]],
    ]);
  });
});
