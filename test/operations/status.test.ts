/** Status: counts what is there, says null for what never ran or was not measured, and names what to open. */
import { readStatus, type StatusPorts } from '../../src/operations/status';
import { keyOf } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { repairImage } from '../../src/core/repair-record';
import { runImage } from '../../src/core/run-records';
import type { MetricName } from '../../src/core/metric-names';
import type { AlarmState } from '../../src/ports/monitoring';
import { PortError } from '../../src/ports';
import { makeWorld, type World } from '../world';

let world: World;
let sums: Map<MetricName, number>;
let alarms: AlarmState[];
let lag: { value: number; at: string } | 'absent';
const ports = (): StatusPorts => ({ ...world, monitoring: { sums: async () => sums, newest: async () => lag, alarms: async () => alarms } });
const status = () => readStatus(ports());
const settle = async (): Promise<void> => {
  await world.seal();
  await world.publish();
};
const verification = (at: string, findings: number) =>
  withMac(world.macKey, { pk: { S: 'verification' }, sk: { S: at }, kind: { S: 'verification' }, rev: { N: '1' }, subject: { S: world.identity.systemSubject }, receivedAt: { S: at }, ok: { BOOL: findings === 0 }, findings: { N: String(findings) } });

beforeEach(async () => {
  world = await makeWorld({ seed: 3 });
  sums = new Map();
  alarms = [];
  lag = 'absent';
});

describe('status', () => {
  it('counts records by kind from the table itself', async () => {
    await world.write(world.message('a'), world.message('b'), world.message('c', { kind: { S: 'status' } }));
    await settle();
    expect((await status()).records).toEqual({ message: 2, status: 1 });
  });

  it('states the head with its root, and the time of what the checkpoint covers', async () => {
    await world.write(world.message('a'), world.message('b'));
    await settle();
    const sealedAt = world.now().toISOString();
    world.advance(60_000);
    const { head } = await status();
    expect(head).toEqual({ size: 2, root: world.log.tables.head?.root.toString('base64'), checkpointAt: sealedAt, checkpointSize: 2 });
  });

  it('says null for what never ran and for what nobody measured, never 0', async () => {
    const found = await status();
    expect(found).toMatchObject({ lastVerification: null, lastAudit: null, lastSnapshot: null, lastDrill: null, lastReconciliation: null, lastReport: null, seal: { lagSeconds: null } });
    expect(Object.values(found.last24h)).toEqual([null, null, null, null, null, null, null]);
    expect(found.head?.checkpointAt).toBeNull();
  });

  it('says 0 for a counter that did not count while others did', async () => {
    sums = new Map([['DeliveriesReceived', 7], ['EventsRecorded', 6]]);
    lag = { value: 1.5, at: world.now().toISOString() };
    const { last24h, seal } = await status();
    expect(last24h).toEqual({ received: 7, recorded: 6, duplicates: 0, variants: 0, conflicts: 0, quarantined: 0, refused: 0 });
    expect(seal).toEqual({ lagSeconds: 1.5, unsealed: 0 });
  });

  it('takes the newest verification', async () => {
    await world.write(verification('2026-02-03T01:00:00.000Z', 2), verification('2026-02-03T03:00:00.000Z', 0));
    expect((await status()).lastVerification).toEqual({ at: '2026-02-03T03:00:00.000Z', ok: true, findings: 0 });
  });

  const RUNS = [['audit', 'lastAudit', '#audit-findings'], ['drill', 'lastDrill', '#drill-differences'], ['reconciliation', 'lastReconciliation', '#reconciliation-findings']] as const;
  it.each(RUNS)('takes the newest %s, and names the article where it found something', async (kind, name, article) => {
    const run = (at: string, findings: number) => withMac(world.macKey, runImage(kind, { at, ok: findings === 0, findings, records: 5, seconds: 1.5, size: 7 }, world.identity.systemSubject));
    await world.write(run('2026-02-03T01:00:00.000Z', 0), run('2026-02-03T03:00:00.000Z', 2));
    expect((await status())[name]).toEqual({ at: '2026-02-03T03:00:00.000Z', ok: false, findings: 2 });
    expect((await status()).open.join()).toContain(article);
    await world.write(run('2026-02-03T04:00:00.000Z', 0));
    expect((await status())[name]).toEqual({ at: '2026-02-03T04:00:00.000Z', ok: true, findings: 0 });
    expect((await status()).open.join()).not.toContain(article);
  });

  it('takes the newest snapshot', async () => {
    const taken = (at: string) => withMac(world.macKey, runImage('snapshot', { at, ok: true, findings: 0, records: 5, seconds: 1.5, size: 7 }, world.identity.systemSubject));
    await world.write(taken('2026-02-03T01:00:00.000Z'), taken('2026-02-04T01:00:00.000Z'));
    expect((await status()).lastSnapshot).toEqual({ at: '2026-02-04T01:00:00.000Z', ok: true, findings: 0 });
  });

  it('is well when all is sealed, published, fresh and quiet', async () => {
    await world.write(world.message('a'));
    await settle();
    expect((await status()).open).toEqual([]);
  });

  const ills: readonly (readonly [string, () => Promise<void> | void, RegExp])[] = [
    ['an alarm', () => void alarms.push({ name: 'Intact-dev-seal-lag', state: 'ALARM', description: 'Changes wait. Runbook: docs/runbook.md#seal-lag' }), /^docs\/runbook\.md#seal-lag \(alarm Intact-dev-seal-lag\)/],
    ['a finding', () => world.records.byHand.put({ ...world.message('a'), text: { S: 'changed' } }), /unauthorised-change/],
    ['a verification that found something', () => world.write(verification('2026-02-03T03:00:00.000Z', 2)), /verification-findings/],
    ['a state left unsealed', () => world.log.noteUnsealed('x', world.now().toISOString()), /states not sealed: 1/],
    ['a checkpoint older than two heartbeats', () => world.advance(31 * 60_000), /checkpoint-age/],
  ];
  it.each(ills)('names the article to open: %s', async (_what, make, line) => {
    await world.write(world.message('a'));
    await settle();
    await make();
    await settle();
    await settle();
    expect((await status()).open.join('\n')).toMatch(line);
  });

  it('does not count what was found of a record that was repaired since, until it is changed again', async () => {
    const genuine = world.message('a');
    const change = async (words: string): Promise<string> => {
      world.advance(60_000);
      world.records.byHand.put({ ...genuine, text: { S: words } });
      await settle();
      return world.now().toISOString();
    };
    await world.write(genuine);
    const at = await change('changed');
    expect((await status()).openFindings).toBe(2);
    const repair = { key: keyOf(genuine), from: { ...genuine, text: { S: 'changed' } }, to: genuine };
    await world.write(withMac(world.macKey, repairImage(repair, world.identity.systemSubject, at)));
    expect((await status()).openFindings).toBe(0);
    await change('changed again');
    expect((await status()).openFindings).toBe(2);
  });

  it('does not mind alarms that are OK or wait for data', async () => {
    await world.write(world.message('a'));
    await settle();
    alarms.push({ name: 'Intact-dev-a', state: 'OK' }, { name: 'Intact-dev-b', state: 'INSUFFICIENT_DATA' });
    expect(await status()).toMatchObject({ alarms: [], open: [] });
  });

  it('is all or nothing: a part that cannot be read is an error, never an empty answer', async () => {
    for (const part of ['records', 'log', 'vault', 'monitoring'] as const) {
      const failing = new Proxy(ports()[part], { get: () => () => { throw new PortError('unavailable', `no ${part}`); } });
      await expect(readStatus({ ...ports(), [part]: failing })).rejects.toThrow(PortError);
    }
  });
});
