/** The log as whoever compares with it gets it: as far as it was sealed when it was asked for, under the signing key, and of one place the state that counts. */
import { keyOf } from '../../src/core/image';
import { placeOf } from '../../src/core/record-history';
import { withMac } from '../../src/core/record-mac';
import { PUBLISHED_WITHIN_MS, settledLog } from '../../src/operations/settled-log';
import { makeWorld, subjectNamed, type World } from '../world';

const sealedOnly = async (world: World): Promise<void> => {
  await world.write(world.message(`sealed, not published ${world.stream.length}`));
  await world.seal();
};

test('waits for the publisher until the checkpoint covers the head', async () => {
  const world = await makeWorld({ seed: 1 });
  await sealedOnly(world);
  let waits = 0;
  const log = settledLog({
    ...world,
    sleep: async (ms) => {
      world.advance(ms);
      if (++waits === 3) await world.publish();
    },
  });
  expect((await log.settled()).size).toBe(1);
  expect(waits).toBe(3);
});

test('goes on with what is published when the publisher stands still, after a bounded time', async () => {
  const world = await makeWorld({ seed: 2 });
  await sealedOnly(world);
  await world.publish();
  await sealedOnly(world);
  const began = world.now().getTime();
  expect((await settledLog(world).settled()).size).toBe(1);
  expect(world.now().getTime() - began).toBe(PUBLISHED_WITHIN_MS);
});

test('of a place that was sealed under two subjects gives what was sealed first, and of one that is not asked for nothing', async () => {
  const world = await makeWorld({ seed: 3 });
  const first = world.message('one');
  await world.write(first, world.message('other'));
  await world.seal();
  world.records.byHand.remove(keyOf(first));
  await world.write(withMac(world.macKey, { ...first, subject: { S: subjectNamed('somebody new') } }));
  await world.seal();
  await world.publish();
  const log = settledLog(world);
  const found = await log.genuine(await log.settled(), new Set([placeOf(first), 'nowhere']));
  expect([...found.keys()]).toEqual([placeOf(first)]);
  expect(found.get(placeOf(first))?.image['subject']).toEqual(first['subject']);
});

test('asks for no key that is not there, and makes none', async () => {
  const world = await makeWorld({ seed: 4 });
  const rows = world.keys.subjects.size;
  expect(await settledLog(world).subjectKeys.existing(subjectNamed('nobody'))).toBe('absent');
  expect(world.keys.subjects.size).toBe(rows);
});
