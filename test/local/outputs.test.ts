import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localOutputs, readOutputs, removeOutputs, writeOutputs } from '../../local/outputs';
import type { StateDirectory } from '../../local/state-directory';

const root = mkdtempSync(join(tmpdir(), 'intact-outputs-'));
const state = { root, ca: join(root, 'ca.pem'), outputs: join(root, 'outputs.json') } as StateDirectory;
const address = { endpoint: 'https://127.0.0.1:4680', plainEndpoint: 'http://127.0.0.1:4681', port: 4680, pid: 7 };
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the outputs of a local cloud', () => {
  it.each([
    ['https://f4a39169.execute-api.127.0.0.1:4680/webhook', 'https://127.0.0.1:4680/_aws/execute-api/f4a39169/webhook'],
    ['https://f4a39169.execute-api.us-east-1.amazonaws.com', 'https://127.0.0.1:4680/_aws/execute-api/f4a39169'],
    ['https://127.0.0.1:4680/000000000000/queue', 'https://127.0.0.1:4680/000000000000/queue'],
    ['arn:aws:sns:us-east-1:000000000000:topic', 'arn:aws:sns:us-east-1:000000000000:topic'],
  ])('give %s as %s', (given, reachable) => {
    expect(localOutputs(state, address, { WebhookUrl: given }).WebhookUrl).toBe(reachable);
  });

  it('leave out what stacks export to each other', () => {
    expect(Object.keys(localOutputs(state, address, { WebhookUrl: 'x', ExportsOutputRefX: 'y' })).sort()).toEqual(['WebhookUrl', 'caFile', 'endpoint', 'pid', 'plainEndpoint', 'port', 'region']);
  });

  it('are read as they were written, and are absent before and after', () => {
    const outputs = localOutputs(state, address, { WebhookUrl: 'x' });
    const seen = [readOutputs(state.outputs)];
    writeOutputs(state, outputs);
    seen.push(readOutputs(state.outputs));
    removeOutputs(state);
    seen.push(readOutputs(state.outputs));
    expect(seen).toEqual([undefined, outputs, undefined]);
  });
});
