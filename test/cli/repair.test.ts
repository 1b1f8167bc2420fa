/** `intact repair` as a person meets it: the plan first, a typed yes, what was done; exit codes and JSON. */
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { subjectNamed } from '../world';
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

let cloud: MemoryDeployment;
let [message, before] = [{} as Image, {} as Image];
const one = async (kind: string): Promise<Image> => {
  for await (const image of cloud.world.records.scan({ kinds: [kind] })) return image;
  throw new Error(`there is no ${kind}`);
};
const there = async (): Promise<Image | 'absent'> => cloud.world.records.get(keyOf(before), { consistent: true });
const tamper = async (image: Image = { ...before, text: { S: 'the price is 1' } }): Promise<void> => {
  cloud.world.records.byHand.put(image);
  await cloud.settle();
};
const confirmed = (): string[] => ['--confirm', cloud.world.identity.origin];

beforeEach(async () => {
  cloud = await memoryDeployment();
  await cloud.run(['send', '-'], { stdin: delivery('wamid.A', 'the price is 100') });
  await cloud.settle();
  message = await one('message');
  before = message;
});

describe('intact repair', () => {
  it.each([[[]], [['wamid.A']]])('shows what it would do, and does it once it is confirmed: %j', async (operands) => {
    await tamper();
    const plan = await cloud.run(['repair', ...operands, '--plan']);
    expect([plan.code, plan.stdout]).toEqual([1, expect.stringMatching(/records looked at: 1, sound: 0\n {2}m#\S+ \S+#message {2}PUT BACK as entry \d+ sealed it: it is not what was sealed, so since 2026-/)]);
    expect((await cloud.run(['repair', ...operands])).code).toBe(2); // nobody to ask
    expect(await there()).not.toEqual(before);
    const ran = await cloud.run(['repair', ...operands, ...confirmed()]);
    expect([ran.code, ran.stdout.trimEnd().split('\n').at(-1)]).toEqual([0, expect.stringMatching(/put back$/)]);
    expect(await there()).toEqual(before);
    await cloud.settle();
    expect(cloud.world.check()).toEqual([]);
    // The finding stays, and there is nothing to do about it any more.
    expect(await cloud.run(['repair'])).toMatchObject({ code: 0, stdout: 'records looked at: 1, sound: 1\n', stderr: expect.stringContaining('nothing to do') as string });
  });

  it('brings back a message that was removed, by its id or its key', async () => {
    cloud.world.records.byHand.remove(keyOf(before));
    await cloud.settle();
    expect((await cloud.run(['repair', 'wamid.A', '--plan'])).stdout).toContain('it is missing');
    expect((await cloud.run(['repair', '--record', `${keyOf(before).pk} ${keyOf(before).sk}`, ...confirmed()])).code).toBe(0);
    expect(await there()).toEqual(before);
  });

  it('removes what was never written by the system, under whatever key', async () => {
    await tamper({ pk: { S: 'two words' }, sk: { S: 'and more' }, text: { S: 'invented' } });
    expect((await cloud.run(['repair'])).stdout).toBe('records looked at: 0, sound: 0\n'); // findings repeat no such key
    const ran = await cloud.run(['repair', '--record', '["two words","and more"]', ...confirmed(), '--json']);
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([0, { plan: [{ record: { pk: 'two words', sk: 'and more' }, standing: 'differs', action: 'remove', entry: null, since: expect.any(String) as string }], done: [{ record: { pk: 'two words', sk: 'and more' }, outcome: 'removed' }] }]);
  });

  it('is exit 2 while the change is not sealed, and touches nothing', async () => {
    cloud.world.records.byHand.put({ ...before, text: { S: 'x' } });
    const ran = await cloud.run(['repair', 'wamid.A']);
    expect([ran.code, ran.stdout.includes('not yet')]).toEqual([2, true]);
  });

  it('is exit 1 and says what is lost where there is nothing to repair from', async () => {
    await tamper();
    cloud.world.keys.subjects.delete(stringOf(before, 'subject') ?? '');
    const ran = await cloud.run(['repair', 'wamid.A', ...confirmed()]);
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('CANNOT BE REPAIRED: ')]);
    expect(ran.stdout).toContain('restore that table first');
    expect(JSON.parse((await cloud.run(['repair', 'wamid.A', '--json'])).stdout)).toMatchObject({ plan: [{ standing: 'lost' }], done: null });
  });

  it('refuses what was repaired three times within an hour', async () => {
    for (let n = 0; n < 3; n++) {
      await tamper({ ...before, subject: { S: subjectNamed(`${n}`) } });
      expect((await cloud.run(['repair', ...confirmed()])).code).toBe(0);
      await cloud.settle();
      cloud.world.advance(60_000);
    }
    await tamper();
    const ran = await cloud.run(['repair', ...confirmed()]);
    expect([ran.code, ran.stdout.includes('REFUSED: it was repaired 3 times')]).toEqual([1, true]);
  });

  it.each([[['repair', 'wamid.A', '--record', 'a b']], [['repair', '--record', 'oneword']], [['repair', '--record', 'a b c']]])('is exit 2 on wrong usage: %j', async (argv) => {
    expect((await cloud.run(argv)).code).toBe(2);
  });

  it('is exit 1 where nothing is known of the id, and says so', async () => {
    expect(await cloud.run(['repair', 'wamid.unknown'])).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing is recorded under') as string });
  });
});
