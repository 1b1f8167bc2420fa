import { stepIn, StepEventError } from '../../src/runtime/step-event';

const run = '2026-01-01T00:00:00.000Z';

test.each([
  [{ step: 'begin' }],
  [{ step: 'begin', asked: { to: 'a table', anything: 1 } }],
  [{ step: 'part', run, round: 0, part: 'range-0-512' }],
  [{ step: 'merge', run, round: 3 }],
])('%j is a step', (event) => expect(stepIn(event)).toEqual(event));

test.each([[undefined], [null], [{}], ['begin'], [{ source: 'aws.events', detail: { step: 'begin' } }]])('%j asks for the whole', (event) => expect(stepIn(event)).toBe('whole'));

test.each([
  ['another step', { step: 'end' }],
  ['no step', { step: null }],
  ['more than a step', { step: 'begin', run }],
  ['a part without its run', { step: 'part', round: 0, part: '0' }],
  ['a run that is no time', { step: 'merge', run: '../other', round: 0 }],
  ['a part that leads elsewhere', { step: 'part', run, round: 0, part: '../0' }],
  ['a part without a name', { step: 'part', run, round: 0, part: '' }],
  ['half a round', { step: 'merge', run, round: 0.5 }],
])('%s is refused', (_, event) => expect(() => stepIn(event)).toThrow(StepEventError));
