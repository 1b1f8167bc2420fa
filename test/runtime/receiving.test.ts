import { Env } from '../../src/runtime/env';
import { receiveDeps, recordingDeps } from '../../src/runtime/wiring/receiving';

const before = { ...process.env };
beforeAll(() => {
  for (const name of Object.values(Env)) process.env[name] = 'set';
  process.env['AWS_REGION'] = 'us-east-1';
});
afterAll(() => void (process.env = before));

test('only receive-webhook remembers owners between deliveries: process-inbox reads each owner once a delivery', () => {
  expect(receiveDeps().ownerCache).toBeDefined();
  expect(recordingDeps().ownerCache).toBeUndefined();
});
