/** No view is left of who was erased: neither a row that only points at one of their records, nor one that came to be after the erasure had looked, because the stream brought it late. */
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { hashed } from '../../../src/core/dedupe-key';
import { keyOf, stringOf, type Image } from '../../../src/core/image';
import { viewKeys } from '../../../src/core/table-keys';
import { isTombstone } from '../../../src/core/tombstone';
import { projectViews } from '../../../src/operations/project-views';
import type { ViewStore } from '../../../src/ports';
import { contact, delivery, NUMBER } from '../receiving-world';
import { EVE, populated } from './erasing-world';

const ELSEWHERE = '109998887776665';

/** Edits, reactions and statuses: whatever has a view of another kind than a message. */
async function talkative(seed: number): Promise<Awaited<ReturnType<typeof populated>> & { readonly hash: string }> {
  const all = await populated(seed);
  const { receive } = all.it.receiver();
  const act = (id: string, type: string, body: object): object => ({ from: EVE.waId, id, timestamp: '1749416400', type, [type]: body });
  await receive(delivery({ contacts: [contact(EVE)], messages: [act('wamid.eve-e', 'edit', { original_message_id: 'wamid.eve-1', message: { type: 'text', text: { body: 'corrected' } } }), act('wamid.eve-r', 'reaction', { message_id: 'wamid.eve-1', emoji: '👍' })] }));
  // A number of ours that knows them by statuses alone: a view that nothing but sums were ever written to.
  await receive(delivery({ statuses: [{ id: 'wamid.out-2', status: 'read', timestamp: '1749416400', recipient_id: EVE.waId, recipient_user_id: EVE.bsuid }] }, { number: ELSEWHERE }));
  return { ...all, hash: hashed(await all.it.secrets.dedupeKey(), 'wamid', ['wamid.eve-1']) };
}

/** Under their own id, under their message, and among those of the day. */
async function viewsLeft(views: Pick<ViewStore, 'partition'>, customerId: string, hash: string): Promise<readonly (readonly string[])[]> {
  const keysIn = async (pk: string): Promise<readonly string[]> => {
    const keys: string[] = [];
    for await (const view of views.partition(pk)) keys.push(keyOf(view).sk);
    return keys;
  };
  const [own, about, active] = [await keysIn(`c#${customerId}`), await keysIn(`a#${hash}`), await keysIn(`d#${NUMBER}#2026-02-03`)];
  return [own, about, active.filter((sk) => sk === customerId)];
}
const NOTHING = [[], [], []];

test('rows that only point at a record of theirs go with it, and so do sums that nothing else was written to', async () => {
  const { it, eve, hash } = await talkative(501);
  await it.settle();
  expect((await viewsLeft(it.views, eve, hash)).map(({ length }) => length)).toEqual([2, 2, 1]);
  await it.confirmed(eve);
  await it.untilDone();
  expect(await viewsLeft(it.views, eve, hash)).toEqual(NOTHING);
});

test('a projection that was a day behind leaves nothing of them, and everybody else what they have', async () => {
  const { it, eve, other, hash } = await talkative(502);
  await it.settle();
  await it.confirmed(eve);
  await it.untilDone();
  // All of it once more, as a projection that had stood still gets it: the records, then their tombstones.
  const views = memoryViews();
  for (let at = 0; at < it.world.stream.length; at += 7) await projectViews({ views, keys: it.secrets, now: it.world.now }, it.world.stream.slice(at, at + 7));
  expect(await viewsLeft(views, eve, hash)).toEqual(NOTHING);
  expect(await views.get(viewKeys.conversation(other, NUMBER))).toMatchObject({ inbound: { N: '1' } });
});

test('a tombstone that somebody wrote by hand takes no view, nor does one of ours over a record that they had given to somebody else', async () => {
  const { it, eve, other } = await talkative(503);
  await it.settle();
  const conversation = viewKeys.conversation(other, NUMBER);
  const messageOf = async (id: string): Promise<Image> => (await it.images('message')).find((image) => stringOf(image, 'messageId') === id)!;
  const [message, another] = [await messageOf('wamid.eve-1'), await messageOf('wamid.other-1')];
  it.world.records.byHand.put({ ...another, kind: { S: 'tombstone' } });
  await it.settle();
  expect(await it.views.get(conversation)).not.toBe('absent');
  it.world.records.byHand.put(another);
  await it.confirmed(eve);
  await it.untilDone();
  const event = it.world.stream.find(({ key, newImage }) => key.pk === keyOf(message).pk && key.sk === keyOf(message).sk && isTombstone(newImage))!;
  const project = (oldImage: Image): Promise<unknown> => projectViews({ views: it.views, keys: it.secrets, now: it.world.now }, [{ ...event, oldImage }]);
  await project({ ...message, customerId: { S: other } });
  expect(await it.views.get(conversation)).not.toBe('absent');
  await project(message);
  expect(await it.views.get(conversation)).not.toBe('absent');
});
