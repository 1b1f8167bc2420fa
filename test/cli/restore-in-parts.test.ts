/** `intact restore --in-parts` as a person types it: what is refused at once, the run it starts or finds, and how it ends. */
import { memoryWorkings } from '../../src/adapters/memory/workings';
import { canonicalImage } from '../../src/core/canonical-image';
import type { RestoreRequest } from '../../src/core/restore-request';
import { restoreInParts } from '../../src/operations/restore-in-parts';
import { wholeSource } from '../../src/operations/restore-share';
import { inParts, type Step, type StepOutput } from '../../src/operations/run-in-parts';
import type { RestoreRunState } from '../../src/ports/restore-runs';
import { delivery, memoryDeployment, type MemoryDeployment, type Ran } from './command-run';

const TO = 'records-restored-one';

let cloud: MemoryDeployment;
let origin: string;
/** Executions by name; a run goes on by one step each time somebody looks at it. */
let runs: Map<string, { state: RestoreRunState; next: () => Promise<void> }>;
let started: { readonly name: string; readonly request: RestoreRequest }[];
/** Shares that cannot be restored. */
let failing: Set<string>;
/** The whole machine cannot. */
let broken = '';

beforeEach(async () => {
  cloud = await memoryDeployment(3);
  origin = cloud.world.identity.origin;
  for (let i = 0; i < 6; i++) await cloud.run(['send', '-'], { stdin: delivery(`wamid.${i}`, `words ${i}`) });
  await cloud.settle();
  [runs, started, failing, broken] = [new Map(), [], new Set(), ''];
  const workings = memoryWorkings();
  const { world, deployment } = cloud;
  const parting = { workings, macKeys: async () => [world.macKey] as const, now: world.now };
  const deps = { ...world, live: deployment.tableAt('records'), siblings: [], prefix: 'records-restored-', tableAt: (name: string) => deployment.tableAt(name), sources: { vault: wholeSource(world.vault) } };
  const machine = (request: RestoreRequest) => {
    const left: Step[] = [{ step: 'begin', asked: request }];
    const entry: { state: RestoreRunState; next: () => Promise<void> } = {
      state: { state: 'running' },
      next: async () => {
        const step = left.shift();
        if (step === undefined || entry.state.state !== 'running') return;
        if (broken === step.step) return void (entry.state = { state: 'failed', why: 'FAILED: Error: out of memory' });
        if (step.step === 'part' && failing.has(step.part)) return;
        const output: StepOutput = (await inParts(parting, restoreInParts(deps, { wholeUpTo: 4 }), step)).output;
        if (!output.done) left.push(...output.parts.map((part): Step => ({ step: 'part', part, run: output.run, round: output.round })), { step: 'merge', run: output.run, round: output.round });
        if (step.step === 'merge' && output.done) entry.state = { state: 'done' };
      },
    };
    return entry;
  };
  const restoresInParts = {
    workings,
    runs: {
      find: async (name: string) => {
        const there = runs.get(name);
        await there?.next();
        return there?.state ?? ('absent' as const);
      },
      start: async (name: string, request: RestoreRequest) => {
        if (runs.has(name)) return 'exists' as const;
        started.push({ name, request });
        runs.set(name, machine(request));
        return 'started' as const;
      },
    },
  };
  Object.assign(deployment, { restoresInParts });
});

const restore = (...args: string[]): Promise<Ran> => cloud.run(['restore', '--in-parts', ...args]);
const textsIn = (table: string): readonly string[] => (cloud.tables.get(table)?.items.all() ?? []).map((image) => canonicalImage(image).toString()).sort();

describe('intact restore --in-parts', () => {
  it('makes the table a restore here makes, and ends with what that says', async () => {
    const live = textsIn('records');
    const ran = await restore('--to', TO);
    expect([ran.code, textsIn(TO), started.length]).toEqual([0, live, 1]);
    expect(started[0]?.request).toEqual({ to: TO, point: { size: live.length }, from: 'vault', by: 'local:tester' });
    expect(ran.stdout).toContain(`${TO} is a copy: the deployment goes on with records`);
    expect(ran.stdout).toMatch(new RegExp(`records +${live.length}, of these 0 as they should be`));
    expect(ran.stderr).toContain(`started as ${started[0]?.name}; interrupting this command does not stop it`);
    cloud.tables.delete(TO);
    const direct = JSON.parse((await cloud.run(['restore', '--to', 'direct', '--size', `${live.length}`, '--json'])).stdout) as { readonly plan: object; readonly result: object };
    const parts = JSON.parse((await restore('--to', TO, '--size', `${live.length}`, '--json')).stdout) as typeof direct;
    expect(Object.keys(parts).sort()).toEqual(['plan', 'readers', 'result', 'shares']);
    expect(parts).toMatchObject({ plan: { ...direct.plan, target: TO }, result: { ...direct.result, seconds: expect.any(Number) as number }, shares: { missing: [] } });
  });

  it('shows what it would ask for with --plan, and starts nothing', async () => {
    const ran = await restore('--to', TO, '--plan');
    expect([ran.code, started, cloud.tables.has(TO)]).toEqual([0, [], false]);
    expect(ran.stderr).toContain('nothing was started');
  });

  it('finds the run that goes on, whoever started it, and starts another where one ended', async () => {
    
    const size = `${textsIn('records').length}`;
    broken = 'never';
    const first = restore('--to', TO, '--size', size);
    const second = restore('--to', TO, '--size', size);
    const both = await Promise.all([first, second]);
    expect([started.length, both.filter(({ stderr }) => stderr.includes('is under way as')).length]).toEqual([1, 1]);
    await restore('--to', TO);
    expect(started.map(({ name }) => name.replace(/^[0-9a-f]{32}/, ''))).toEqual(['-1', '-2']);
  });

  it('says which shares could not be restored, exits 1, and asked again restores them', async () => {
    failing.add('1-of-3');
    const ran = await restore('--to', TO);
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/NOT WHOLE: 1 of \d+ shares[\s\S]*share 1 of 3/) as string]);
    expect(cloud.tables.get(TO)?.settings.tags.find((tag) => tag.startsWith('intact:restore='))).toMatch(/ incomplete$/);
    failing.clear();
    // Written since; the table is finished as it was begun.
    await cloud.run(['send', '-'], { stdin: delivery('wamid.later', 'later') });
    await cloud.settle();
    const again = await restore('--to', TO);
    expect([again.code, started[1]?.request.point]).toEqual([0, started[0]?.request.point]);
  });

  it('says why a run ended without a result, and how far it was', async () => {
    broken = 'merge';
    const ran = await restore('--to', TO);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('the restore ended without a result (FAILED: Error: out of memory); 3 of 3 shares are there') as string]);
    expect(ran.stderr).toContain('docs/runbook.md#restore-in-parts');
  });

  it.each([
    [['--to', 'copy'], 'called records-restored-<word>, not copy'],
    [['--to', 'records'], 'called records-restored-<word>, not records'],
    [['--to', TO, '--customer', 'x'], '--in-parts and --customer exclude each other'],
    [['--to', TO, '--snapshot', 'none'], '--in-parts and --snapshot exclude each other'],
    [['--to', TO, '--from', 's3://elsewhere'], 'not from s3://elsewhere'],
    [['--to', TO, '--from', 'replica'], 'which point?'],
    [['--to', TO, '--size', '999999'], 'the published log ends at'],
  ])('refuses %j before anything is started', async (args, words) => {
    const ran = await restore(...args);
    expect([ran.code, started, ran.stderr]).toEqual([2, [], expect.stringContaining(words) as string]);
  });

  it('leaves how far the replica is to who can read it', async () => {
    const ran = await restore('--to', TO, '--from', 'replica', '--size', '5', '--plan');
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining(`${origin} at 5 entries, from the replica`) as string]);
  });

  it('says what to do where the stage has none', async () => {
    Object.assign(cloud.deployment, { restoresInParts: undefined });
    expect(await restore('--to', TO)).toMatchObject({ stderr: expect.stringContaining('this stage has no restore in parts yet') as string });
  });
});
