/**
 * A record that somebody changed by hand so that it names somebody else is found by no index. Nobody's key goes before it was found all the same: by what the log holds under the subject and was never removed.
 */
import { keyOf, stringOf, type Image } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import { subjectsOf, requestIn } from '../../../src/core/erasure';
import { recordKeys } from '../../../src/core/table-keys';
import { advanceErasures } from '../../../src/operations/erasure/advance-erasures';
import { provenLog } from '../../../src/operations/erasure/proven-entries';
import { sealedErasure } from '../../../src/operations/erasure/sealed-removals';
import { unremovedRecords } from '../../../src/operations/erasure/unremoved-records';
import { textDelivery } from '../receiving-world';
import { subjectNamed } from '../../world';
import { EVE, EVERY_MS, erasingWorld, populated, SECRETS, type ErasingWorld } from './erasing-world';

const messageOf = async (it: ErasingWorld, id: string): Promise<Image> => (await it.images('message')).find((image) => stringOf(image, 'messageId') === id)!;
const requestOf = (it: ErasingWorld, customerId: string) => requestIn(it.world.records.byHand.peek(recordKeys.erasureRequest(customerId)) as Image)!;

/** Until it waits for what was changed, or longer than it ever takes. */
async function untilDoubtful(it: ErasingWorld): Promise<void> {
  for (let run = 0; ; run++) {
    expect(run).toBeLessThan(30);
    const [progress] = await it.advance();
    await it.settle();
    if (progress?.waiting === 'doubtful') return;
    it.world.advance(EVERY_MS);
  }
}

describe('a record that somebody changed by hand, so that no index leads to it', () => {
  const ways: Readonly<Record<string, (it: ErasingWorld, message: Image, others: Image) => Image>> = {
    'to name another customer': (_, message, others) => ({ ...message, customerId: others['customerId']! }),
    'to name nobody': (_, { customerId: __, ...message }) => message,
    'to be of another subject': (_, message, others) => ({ ...message, customerId: others['customerId']!, subject: others['subject']! }),
    'by somebody who has the key of MACs': (it, message, others) => withMac(it.world.macKey, { ...message, customerId: others['customerId']!, subject: others['subject']! }),
  };
  test.each(Object.keys(ways))('%s, keeps the key until it is repaired, which the erasure asks for, and is removed', async (way) => {
    const { it, eve } = await populated(301);
    const message = await messageOf(it, 'wamid.eve-1');
    it.world.records.byHand.put(ways[way]!(it, message, await messageOf(it, 'wamid.other-1')));
    await it.settle();
    await it.confirmed(eve);
    await untilDoubtful(it);
    expect(requestOf(it, eve).state).toBe('removing');
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
    expect(await it.repair()).toEqual(['put-back']);
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect((await it.audit()).findings).toBe(0);
    expect(await it.verify()).toEqual([]);
  });

  test('where no stream told of it, keeps the key until an audit has found it', async () => {
    const { it, eve } = await populated(302);
    const message = await messageOf(it, 'wamid.eve-1');
    it.world.records.byHand.decay({ ...message, customerId: (await messageOf(it, 'wamid.other-1'))['customerId']! });
    await it.confirmed(eve);
    await untilDoubtful(it);
    for (let run = 0; run < 20; run++) {
      expect(await it.advance()).toMatchObject([{ state: 'removing' }]);
      it.world.advance(EVERY_MS);
    }
    expect((await it.audit()).found).toMatchObject([{ code: 'record-modified', key: keyOf(message) }]);
    await it.settle();
    // As the repair leaves it.
    it.world.records.byHand.decay(message);
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  });

  test('and that was put right again in another way keeps no key for ever: an audit that finds nothing says that it is nowhere', async () => {
    const { it, eve } = await populated(303);
    const [theirs, others] = [await messageOf(it, 'wamid.eve-1'), await messageOf(it, 'wamid.other-1')];
    // In the place of another's record something of Eve's is invented; what the repair puts over it is sealed under the other's name.
    it.world.records.byHand.remove(keyOf(others));
    it.world.records.byHand.put({ ...others, subject: theirs['subject']! });
    await it.settle();
    it.world.records.byHand.put(others);
    await it.settle();
    await it.confirmed(eve);
    await untilDoubtful(it);
    const before = it.world.now().toISOString();
    it.world.advance(1);
    expect((await it.audit()).findings).toBe(0);
    expect(it.world.now().toISOString() > before).toBe(true);
    await it.settle();
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    expect(await it.customerOf('wamid.other-1')).not.toBe(eve);
  });

  test('an audit that is older than the last thing found, or that found something, says nothing', async () => {
    const { it, eve } = await populated(304);
    const message = await messageOf(it, 'wamid.eve-1');
    expect((await it.audit()).findings).toBe(0);
    it.world.records.byHand.decay({ ...message, customerId: (await messageOf(it, 'wamid.other-1'))['customerId']! });
    await it.settle();
    await it.confirmed(eve);
    await untilDoubtful(it);
    expect((await it.audit()).findings).toBe(1);
    // The second time what is found is on record already, so the sealer hears of nothing.
    for (const findings of [1, 1, 1]) {
      for (let run = 0; run < 6; run++) {
        await it.settle();
        expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: expect.stringMatching(/doubtful|time/) as string }]);
        it.world.advance(EVERY_MS);
      }
      expect((await it.audit()).findings).toBe(findings);
    }
  });
});

describe('the search of the log', () => {
  /** Eve among many others, in more bundles than one run is let read. */
  async function searched(seed: number) {
    const { it, eve } = await populated(seed);
    const { receive } = it.receiver();
    for (let n = 0; n < 150; n++) {
      await receive(textDelivery(`wamid.crowd-${n}`, 'hello', n % 10 === 0 ? EVE : { waId: `1555000${3000 + n}` }));
      if (n % 50 === 49) await it.settle();
    }
    await it.settle();
    return { it, eve };
  }

  test('takes several runs, dies between any of them, and comes to what one run comes to', async () => {
    const { it, eve } = await searched(310);
    const message = await messageOf(it, 'wamid.crowd-50');
    it.world.records.byHand.put({ ...message, customerId: (await messageOf(it, 'wamid.other-1'))['customerId']! });
    await it.settle();
    await it.confirmed(eve);
    await untilDoubtful(it);
    const request = requestOf(it, eve);
    const subjects = new Set(subjectsOf(request));
    const deps = { ...it.world, origin: it.world.identity.origin };
    const sealed = await sealedErasure(deps, request.recordedAt!, subjects);
    const whole = await unremovedRecords(deps.log, { ...request, searched: undefined } as never, sealed, subjects);
    expect([whole.isWhole, whole.left.length, whole.searched.to]).toEqual([true, 1, sealed.from]);
    let part = await unremovedRecords(deps.log, { ...request, searched: undefined } as never, sealed, subjects, 1);
    expect(part.isWhole).toBe(false);
    let runs = 1;
    for (; !part.isWhole; runs++) part = await unremovedRecords(deps.log, { ...request, searched: { to: part.searched.to, open: [...part.searched.open].map((each) => each.join(' ')) } }, sealed, subjects, 1);
    expect(runs).toBeGreaterThan(1);
    expect(part.left).toEqual(whole.left);
    // What it came to is kept with the request, in the transaction that moves it.
    expect(request.searched).toEqual({ to: whole.searched.to, open: [...whole.searched.open].map((each) => each.join(' ')) });
    expect(await it.repair()).toEqual(['put-back']);
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    expect(requestOf(it, eve).searched).toBeUndefined();
  });

  test('forgets none where more were not removed than the request has room for', async () => {
    const it = await erasingWorld(313);
    for (let batch = 0; batch < 10; batch++) {
      await it.world.write(...Array.from({ length: 60 }, (_, n) => it.world.message(`${batch}-${n}`)));
      await it.settle();
    }
    const subject = subjectNamed('alice');
    const deps = { ...it.world, origin: it.world.identity.origin };
    const sealed = { log: await provenLog(deps), isPermitted: true, removals: 0, alone: 0, foundAt: '', from: it.world.entries().length, removed: new Set<string>(), standing: new Map<string, string>() };
    const request = { customers: [{ customerId: 'of another form than ours', subject }], inputs: [] };
    const first = await unremovedRecords(deps.log, request, sealed, new Set([subject]));
    expect(first.left.length).toBeGreaterThan(500);
    const kept = { to: first.searched.to, open: [...first.searched.open].map((each) => each.join(' ')) };
    expect(kept.open.length).toBeLessThan(501);
    const next = await unremovedRecords(deps.log, { ...request, searched: kept }, sealed, new Set([subject]));
    expect([...next.left].sort()).toEqual([...first.left].sort());
    // Removed since then, they are done with, and it goes on.
    const removed = new Set(it.world.entries().map(({ entry }) => entry.id));
    expect(await unremovedRecords(deps.log, { ...request, searched: kept }, { ...sealed, removed }, new Set([subject]))).toMatchObject({ isWhole: true, left: [], searched: { to: sealed.from } });
  });

  test('begins where the log proves that the customer had not been met, whatever its table says', async () => {
    const { it, eve } = await searched(314);
    const subject = stringOf(await messageOf(it, 'wamid.eve-1'), 'subject')!;
    const deps = { ...it.world, origin: it.world.identity.origin };
    const sealed = { log: await provenLog(deps), isPermitted: true, removals: 0, alone: 0, foundAt: '', from: it.world.entries().length, removed: new Set<string>(), standing: new Map<string, string>() };
    const request = { customers: [{ customerId: eve, subject }], inputs: [] };
    const whole = await unremovedRecords(deps.log, request, sealed, new Set([subject]));
    expect(whole.left.length).toBeGreaterThan(20);
    const rounds = [...it.world.log.tables.rounds.values()].sort((a, b) => a.from - b.from);
    for (const hidden of [rounds.slice(-1), []]) {
      const roundsByTime = async function* () {
        yield* hidden;
      };
      expect(await unremovedRecords({ roundsByTime }, request, sealed, new Set([subject]))).toEqual(whole);
    }
  });

  test('keeps the key until it has come to the end', async () => {
    const { it, eve } = await searched(312);
    await it.confirmed(eve);
    const came: number[] = [];
    for (let run = 0; requestOf(it, eve).state !== 'done'; run++) {
      expect(run).toBeLessThan(30);
      const [progress] = await advanceErasures({ ...it.container().deps, bundlesARun: 1 });
      await it.settle();
      it.world.advance(EVERY_MS);
      const { to } = requestOf(it, eve).searched ?? {};
      if (to === undefined || to === came.at(-1)) continue;
      expect(progress).toMatchObject({ state: 'removing', waiting: 'running' });
      came.push(to);
    }
    expect(came.length).toBeGreaterThan(1);
    expect(came).toEqual([...came].sort((a, b) => a - b));
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  test('believes no bundle that is not what the log\'s key signed', async () => {
    const { it, eve } = await searched(311);
    await it.confirmed(eve);
    const bundle = [...it.world.vault.objects.keys()].find((name) => /^tile\/entries\/\d{3}$/.test(name))!;
    const bytes = it.world.vault.objects.get(bundle)!;
    it.world.vault.objects.set(bundle, Buffer.from(bytes).fill(0x20, 100, 101));
    await expect(it.untilDone()).rejects.toThrow(bundle);
    it.world.vault.objects.set(bundle, bytes);
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
  });
});
