/** How a delivery is cut into events: every type Meta sends, every oddity seen in the wild, and that nothing signed is dropped or throws. */
import fc from 'fast-check';
import { identityOf, type MetaEvent } from '../../../src/core/meta/events';
import { FIELDS } from '../../../src/core/meta/fields';
import { MESSAGE_TYPES, REPLY_KINDS } from '../../../src/core/meta/message-types';
import { QUARANTINE_CODES } from '../../../src/core/meta/quarantine';
import { splitDelivery } from '../../../src/core/meta/split-delivery';
import { STATUSES } from '../../../src/core/meta/statuses';
import { EXPECTED } from './expected-events';
import { eventsOf, fixture, names, numRuns, onlyEvent, onlyQuarantine, text, wire } from './fixtures';

const lineOf = (event: MetaEvent): string =>
  event.eventKind === 'quarantine'
    ? `quarantine ${event.reason.code}`
    : [event.eventKind, event.type, event.eventKind === 'field' && event.member !== undefined ? `(${event.member})` : '', event.unknownType ? 'unknown' : ''].filter(Boolean).join(' ');
const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));

describe('everything Meta sends', () => {
  it.each(names)('%s becomes what it is', (name) => expect(eventsOf(fixture(name)).map(lineOf)).toEqual(EXPECTED[name]));

  it('has a fixture each: message types, replies, statuses, fields', () => {
    const bodies = names.map((name) => fixture(name).toString('utf8'));
    const unseen = (words: readonly string[], key: string) => words.filter((word) => !bodies.some((body) => body.includes(`"${key}": "${word}"`)));
    expect(unseen(Object.keys(MESSAGE_TYPES), 'type')).toEqual([]);
    expect(unseen(Object.keys(REPLY_KINDS), 'type')).toEqual([]);
    expect(unseen(STATUSES.filter((word) => word !== 'warning'), 'status')).toEqual([]);
    expect(unseen(Object.keys(FIELDS), 'field')).toEqual([]);
    expect(Object.keys(EXPECTED).sort()).toEqual(names);
  });

  it('carries its own bytes, which parse to the event, and the account it belongs to', () => {
    for (const name of names) {
      const body = fixture(name);
      for (const event of eventsOf(body)) {
        if (event.eventKind === 'quarantine') throw new Error(name);
        expect(parsed(event.raw)).toEqual(event.object);
        expect(event.raw.buffer).toBe(body.buffer);
        expect(event.wabaId).not.toBe('');
        expect(event.digest).toMatch(/^[0-9a-f]{64}$/);
      }
    }
  });
});

describe('the person on the other side', () => {
  const customerOf = (name: string) => onlyEvent(fixture(name));
  it.each([
    ['text', { bsuid: 'US.70210000000000000143', waId: '12025550143', profileName: 'Ada Marsh' }],
    ['sender.no-number', { bsuid: 'GB.70210000000000000112', parentBsuid: 'GB.ENT.80110000000000000112', username: '@ben.okoro', profileName: 'Ben Okoro' }],
    ['sender.empty-number', { bsuid: 'GB.70210000000000000112', parentBsuid: 'GB.ENT.80110000000000000112', username: '@ben.okoro', profileName: 'Ben Okoro' }],
    ['sender.user-id-in-from', { bsuid: 'GB.70210000000000000112', profileName: 'Ben Okoro' }],
    ['sender.no-profile', { bsuid: 'US.70210000000000000143', waId: '12025550143' }],
    ['sender.no-contacts', { bsuid: 'US.70210000000000000143', waId: '12025550143' }],
    ['status.failed', { waId: '5511955501234' }],
    ['status.group-without-number', { bsuid: 'GB.70210000000000000112' }],
    ['status.user-id-only', { bsuid: 'GB.70210000000000000112', parentBsuid: 'GB.ENT.80110000000000000112', username: '@ben.okoro', profileName: 'Ben Okoro' }],
    ['message-echoes', { bsuid: 'GB.70210000000000000112', waId: '447700900112' }],
    ['system.number-changed', { waId: '12025550143' }],
    ['calls.terminate', undefined],
  ])('of %s', (name, customer) => {
    if (customer === undefined) return expect(eventsOf(fixture(name)).map((e) => (e.eventKind === 'quarantine' ? null : e.customer))).toEqual([{ waId: '12025550143' }, undefined]);
    expect(customerOf(name)).toMatchObject({ customer });
    const event = customerOf(name);
    expect(event.eventKind !== 'quarantine' && event.customer).toEqual(customer);
  });

  it('is told apart in a batch, and a contact nobody wrote for is kept for itself', () => {
    const [ben, ada, contact] = eventsOf(fixture('two-people'));
    expect(ben).toMatchObject({ customer: { profileName: 'Ben Okoro' } });
    expect(ada).toMatchObject({ customer: { profileName: 'Ada Marsh' } });
    expect(ada?.eventKind !== 'quarantine' && ada?.contactRaw && parsed(ada.contactRaw)).toMatchObject({ wa_id: '12025550143' });
    expect(contact).toMatchObject({ eventKind: 'field', member: 'contacts', customer: { profileName: 'Cléa Duarte' }, unknownType: false });
  });

  it('is not joined with a contact that contradicts, though the contact is kept', () => {
    const event = onlyEvent(wire(`"contacts":[{"profile":{"name":"Other"},"wa_id":"999","user_id":"US.9"}],"messages":[${text()}]`));
    expect(event).toMatchObject({ customer: { waId: '12025550143' } });
    expect(event.eventKind !== 'quarantine' && event.customer).toEqual({ waId: '12025550143' });
    expect(event.eventKind !== 'quarantine' && event.contactRaw?.toString()).toContain('"Other"');
  });

  it('gains a user id from a contact only where nothing else can be meant', () => {
    const contacts = '"contacts":[{"profile":{"name":"Ada"},"user_id":"US.1"}]';
    expect(onlyEvent(wire(`${contacts},"messages":[${text()}]`))).toMatchObject({ customer: { waId: '12025550143', bsuid: 'US.1' } });
    const [first] = eventsOf(wire(`${contacts},"messages":[${text()},${text().replace('wamid.A', 'wamid.B').replace('12025550143', '12025550199')}]`));
    expect(first?.eventKind !== 'quarantine' && first?.customer).toEqual({ waId: '12025550143' });
  });
});

describe('identity', () => {
  it('of each kind is made of what Meta repeats, and of nothing else', () => {
    expect(identityOf(onlyEvent(wire(`"messages":[${text()}]`)))).toEqual(['message', '307', 'wamid.A']);
    const status = '{"id":"wamid.A","status":"read","timestamp":"17","recipient_id":"g@g.us","recipient_type":"group","recipient_participant_id":"1202"}';
    expect(identityOf(onlyEvent(wire(`"statuses":[${status}]`)))).toEqual(['status', '307', 'wamid.A', 'read', '17', '1202']);
    const field = onlyEvent(fixture('account-review'));
    expect(identityOf(field)).toEqual(['field', '208000000000017', 'account_review_update', field.digest, '1790000080', '', '']);
  });

  it('of group statuses differs by participant, of one message by status', () => {
    const [a, b] = eventsOf(fixture('status.group'));
    if (a === undefined || b === undefined) throw new Error('two events');
    expect(identityOf(a)).not.toEqual(identityOf(b));
    expect(identityOf(onlyEvent(fixture('status.sent')))).not.toEqual(identityOf(onlyEvent(fixture('status.read'))));
  });

  it('is the same whether a number is quoted or not', () => {
    const bare = wire(`"messages":[${text().replace('"1790000000"', '1790000000')}]`, 'messages', '{"phone_number_id":307}');
    expect(identityOf(onlyEvent(bare))).toEqual(['message', '307', 'wamid.A']);
    expect(onlyEvent(bare)).toMatchObject({ timestamp: '1790000000' });
  });

  it('of old conversations never collides with a live message or another form of itself', () => {
    const placeholder = eventsOf(fixture('history.chunk'))[2];
    const media = onlyEvent(fixture('history.media'));
    if (placeholder?.eventKind !== 'field' || media.eventKind !== 'field') throw new Error('two history events');
    expect(media.messageId).toBe(placeholder.messageId);
    expect(identityOf(placeholder)).not.toEqual(identityOf(media));
    expect(placeholder).toMatchObject({ history: { threadId: '12025550143', phase: '0', chunkOrder: '1', progress: '40' }, status: 'READ', direction: 'inbound' });
  });

  it('of equal errors about two numbers is not the same', () => {
    const error = '"errors":[{"code":131000}]';
    expect(identityOf(onlyEvent(wire(error)))).not.toEqual(identityOf(onlyEvent(wire(error, 'messages', '{"phone_number_id":"308"}'))));
  });
});

describe('what an event says of itself', () => {
  it('edits, revokes and reactions name the message they are about', () => {
    const a1 = onlyEvent(fixture('text'));
    expect(onlyEvent(fixture('edit.text'))).toMatchObject({ originalMessageId: a1.eventKind === 'message' && a1.messageId, text: 'Is the green kettle still in stock?' });
    expect(onlyEvent(fixture('revoke'))).toHaveProperty('originalMessageId');
    expect(onlyEvent(fixture('reaction'))).toMatchObject({ eventKind: 'reaction', text: '👍🏽' });
    expect(onlyEvent(fixture('reaction.removed'))).not.toHaveProperty('text');
  });

  it('echoes are outbound, inbound messages of a group name the group', () => {
    expect(eventsOf(fixture('smb-message-echoes')).map((e) => e.eventKind !== 'quarantine' && 'direction' in e && e.direction)).toEqual(['outbound', 'outbound', 'outbound']);
    expect(onlyEvent(fixture('sender.in-group'))).toMatchObject({ direction: 'inbound', groupId: expect.stringContaining('Y2Fw') as string });
    expect(eventsOf(fixture('status.group'))[0]).toMatchObject({ groupId: '120363000000000017@g.us', participant: '12025550143' });
  });

  it.each([
    ['system.number-changed', { type: 'user_changed_number', oldWaId: '12025550143', newWaId: '12025550177' }],
    ['system.user-id-changed', { type: 'user_changed_user_id', oldBsuid: 'GB.70210000000000000112', newBsuid: 'GB.70210000000000000999', newParentBsuid: 'GB.ENT.80110000000000000999', oldBsuidFrom: 'member' }],
    ['system.user-id-changed-in-words-only', { type: 'user_changed_user_id', oldBsuid: 'GB.70210000000000000112', newBsuid: 'GB.70210000000000000999', oldBsuidFrom: 'sentence' }],
    ['user-id-update', { type: 'user_id_update', oldBsuid: 'GB.70210000000000000112', newBsuid: 'GB.70210000000000000999', newParentBsuid: 'GB.ENT.80110000000000000999', newWaId: '447700900112', oldBsuidFrom: 'member' }],
  ])('%s says who became whom', (name, change) => expect((onlyEvent(fixture(name)) as { identityChange?: unknown }).identityChange).toEqual(change));

  it('a name that reads like a change of user id changes nothing', () => {
    const body = '"messages":[{"id":"wamid.A","timestamp":"1","type":"system","system":{"type":"user_changed_user_id","user_id":"US.3","body":"User x changed from US.1 to US.2 changed something"}}]';
    expect(onlyEvent(wire(body))).toMatchObject({ identityChange: { newBsuid: 'US.3' } });
    expect((onlyEvent(wire(body)) as { identityChange?: object }).identityChange).not.toHaveProperty('oldBsuid');
    expect((onlyEvent(wire(body.replace(' changed something', ''))) as { identityChange?: object }).identityChange).not.toHaveProperty('oldBsuid');
  });

  it('entry time is kept as written', () => {
    expect(onlyEvent(fixture('account-review'))).toMatchObject({ entryTime: '1790000080' });
    expect(onlyEvent(fixture('text'))).not.toHaveProperty('entryTime');
  });
});

describe('a body that is no delivery is kept whole', () => {
  it.each([
    ['', 'not-json'], ['not json', 'not-json'], ['{"object":"whatsapp_business_account","entry":[', 'not-json'], ['\ufeff{}', 'not-json'], ['null', 'wrong-envelope'], ['[]', 'wrong-envelope'], ['"x"', 'wrong-envelope'],
    ['{}', 'wrong-envelope'], ['{"object":"page","entry":[]}', 'wrong-envelope'], ['{"entry":[]}', 'wrong-envelope'], ['{"object":"whatsapp_business_account"}', 'wrong-envelope'],
    ['{"object":"whatsapp_business_account","entry":{}}', 'wrong-envelope'], ['{"object":null,"entry":[{"id":"1","changes":[]}]}', 'wrong-envelope'],
    // Signed means kept, an empty envelope too.
    ['{"object":"whatsapp_business_account","entry":[]}', 'no-events'], ['{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[]}]}', 'no-events'],
  ])('%s', (body, code) => {
    const split = splitDelivery(Buffer.from(body));
    expect(split).toMatchObject({ kind: 'quarantine', reason: { code, path: '' } });
    expect(split.kind === 'quarantine' && split.reason.expected).toBeTruthy();
  });

});

describe('quarantine', () => {
  const good = text();
  const status = '{"id":"wamid.A","status":"sent","timestamp":"17","recipient_id":"1202"}';
  const m = (from: string | RegExp, to: string) => wire(`"messages":[${good.replace(from, to)}]`);
  const s = (from: string | RegExp, to: string) => wire(`"statuses":[${status.replace(from, to)}]`);
  const inEntry = (entry: string) => `{"object":"whatsapp_business_account","entry":[${entry}]}`;
  const cases: readonly (readonly [what: string, body: string, code: string, path: string])[] = [
    ['a message without id', m('"id":"wamid.A",', ''), 'no-id', '.messages[0].id'],
    ['a message with an empty id', m('wamid.A', ''), 'no-id', '.messages[0].id'],
    ['a message whose id is an object', m('"wamid.A"', '{}'), 'invalid-id', '.messages[0].id'],
    ['a message whose id is 257 long', m('wamid.A', 'w'.repeat(257)), 'invalid-id', '.messages[0].id'],
    ['a message whose id has no bytes of its own', m('wamid.A', '\\ud800'), 'invalid-id', '.messages[0].id'],
    ['a message with two ids', m('"type"', '"id":"wamid.B","type"'), 'ambiguous-identity', '.messages[0].id'],
    ['a message without timestamp', m('"timestamp":"1790000000",', ''), 'no-timestamp', '.messages[0].timestamp'],
    ['a message that is a string', wire('"messages":["hi"]'), 'wrong-shape', '.messages[0]'],
    ['a text without body', m('{"body":"Hello"}', '{}'), 'wrong-shape', '.messages[0].text.body'],
    ['a text whose body is a number', m('"Hello"', '5'), 'wrong-shape', '.messages[0].text.body'],
    ['a text without text', m('"text":{"body":"Hello"}', '"x":1'), 'wrong-shape', '.messages[0].text'],
    ['a reaction to nothing', m(/"type".*/, '"type":"reaction","reaction":{"emoji":"x"}}'), 'wrong-shape', '.messages[0].reaction.message_id'],
    ['an image without id', m(/"type".*/, '"type":"image","image":{"mime_type":"image/png"}}'), 'wrong-shape', '.messages[0].image.id'],
    ['a list reply without the reply', m(/"type".*/, '"type":"interactive","interactive":{"type":"list_reply"}}'), 'wrong-shape', '.messages[0].interactive.list_reply'],
    ['a status without id', s('"id":"wamid.A",', ''), 'no-id', '.statuses[0].id'],
    ['a status that does not say which', s('"status":"sent",', ''), 'no-status', '.statuses[0].status'],
    ['a status that is a number of objects', s('"sent"', '{}'), 'invalid-id', '.statuses[0].status'],
    ['a status without timestamp', s('"timestamp":"17",', ''), 'no-timestamp', '.statuses[0].timestamp'],
    ['a status whose participant has no bytes of its own', s('}', ',"recipient_participant_id":"\\ud800"}'), 'invalid-id', '.statuses[0].recipient_participant_id'],
    ['a status whose price is a word', s('}', ',"pricing":"free"}'), 'wrong-shape', '.statuses[0].pricing'],
    ['a message of no business number', wire(`"messages":[${good}]`, 'messages', '{}'), 'no-phone-number-id', '.metadata.phone_number_id'],
    ['a message of two business numbers', wire(`"messages":[${good}]`, 'messages', '{"phone_number_id":"1","phone_number_id":"2"}').replace(/$/, ''), 'ambiguous-identity', '.metadata.phone_number_id'],
    ['messages that are no list', wire('"messages":{"a":1}'), 'wrong-shape', '.messages'],
    ['an account field that is a list', inEntry('{"id":"208","changes":[{"field":"account_update","value":[]}]}'), 'wrong-shape', ''],
    ['an account event that is a number', inEntry('{"id":"208","changes":[{"field":"account_update","value":{"event":5}}]}'), 'wrong-shape', '.event'],
  ];

  it.each(cases)('takes %s', (_, body, code, path) => {
    const event = eventsOf(body).find((e) => e.eventKind === 'quarantine');
    if (event?.eventKind !== 'quarantine') throw new Error('nothing in quarantine');
    expect(event.reason).toMatchObject({ code, path: `entry[0].changes[0].value${path}` });
    expect(event.reason.message).not.toBe('');
    expect(event.wabaId).toBe('208');
  });

  it.each([
    ['an entry that is a number', inEntry('7'), 'wrong-entry', 'entry[0]'],
    ['an entry without id', inEntry('{"changes":[]}'), 'wrong-entry', 'entry[0]'],
    ['an entry without changes', inEntry('{"id":"208"}'), 'wrong-entry', 'entry[0]'],
    ['a change that is null', inEntry('{"id":"208","changes":[null]}'), 'wrong-change', 'entry[0].changes[0]'],
    ['a change without value', inEntry('{"id":"208","changes":[{"field":"messages"}]}'), 'wrong-change', 'entry[0].changes[0]'],
    ['a change without field', inEntry('{"id":"208","changes":[{"value":{}}]}'), 'wrong-change', 'entry[0].changes[0]'],
    ['a member of the delivery itself', '{"object":"whatsapp_business_account","entry":[],"extra":1}', 'wrong-envelope', 'extra'],
  ])('takes %s', (_, body, code, path) => expect(onlyQuarantine(body).reason).toMatchObject({ code, path }));

  it('never repeats what a message said', () => {
    for (const [, body] of cases) {
      for (const event of eventsOf(body)) if (event.eventKind === 'quarantine') expect(event.reason.message).not.toContain('Hello');
    }
  });

  it('has a way back: the replay is a delivery that holds these bytes alone, in their place', () => {
    for (const [what, body] of cases) {
      for (const event of eventsOf(body)) {
        if (event.eventKind !== 'quarantine') continue;
        const again = eventsOf(event.replayBody).find((e) => e.eventKind === 'quarantine');
        expect([what, again?.eventKind === 'quarantine' && again.reason.code, again?.raw.toString()]).toEqual([what, event.reason.code, event.raw.toString()]);
        expect(again && identityOf(again)).toEqual(identityOf(event));
      }
    }
  });

  it('never takes a neighbour with it', () => {
    const body = wire(`"messages":[${good},7,${good.replace('wamid.A', '')},${good.replace('wamid.A', 'wamid.B')}],"statuses":[{"x":1},${status}]`);
    expect(eventsOf(body).map(lineOf)).toEqual(['message text', 'quarantine wrong-shape', 'quarantine no-id', 'message text', 'quarantine no-id', 'status status']);
    const entries = `{"object":"whatsapp_business_account","entry":[5,{"id":"208","changes":[null,{"field":"account_review_update","value":{"decision":"APPROVED"}}]}]}`;
    expect(eventsOf(entries).map(lineOf)).toEqual(['quarantine wrong-entry', 'quarantine wrong-change', 'field APPROVED']);
  });

  it('does not take a message without body that comes with an error, its own or beside it', () => {
    expect(eventsOf(fixture('interactive.missing-with-error')).map(lineOf)).toEqual(['message interactive', 'field (errors)']);
    expect(onlyEvent(m('"text":{"body":"Hello"}', '"errors":[{"code":131000}]'))).toMatchObject({ eventKind: 'message', type: 'text' });
  });
});

describe('what nobody expected is kept', () => {
  // Members that every object inherits, sent as if they were words of Meta's.
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])('a message of type %s is one of an unknown type, and a member of that name an event of its own', (word) => {
    expect(onlyEvent(wire(`"messages":[{"id":"wamid.A","timestamp":"17","type":"${word}","${word}":{"x":1}}]`))).toMatchObject({ eventKind: 'message', type: word, unknownType: true });
    const [event] = eventsOf(wire(`"${word}":[{"x":1}]`));
    expect(event).toMatchObject({ eventKind: 'field', unknownType: true });
    expect(eventsOf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"${word}","value":{}}]}]}`)).toMatchObject([{ eventKind: 'field', unknownType: true }]);
  });

  it('a type, a kind of reply, a status and a field that are new are records that say so', () => {
    for (const name of ['new-type', 'interactive.unknown-kind', 'status.new-word', 'new-field']) expect(onlyEvent(fixture(name))).toMatchObject({ unknownType: true });
    expect(onlyEvent(wire(`"messages":[${text().replace('"type":"text",', '')}]`))).toMatchObject({ eventKind: 'message', unknownType: true, text: 'Hello' });
  });

  it('members that are new beside the known ones are events of their own, at every level', () => {
    const body =
      '{"object":"whatsapp_business_account","top":0,"entry":[{"id":"208","e":1,"changes":[{"field":"messages","c":2,"value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"307","m":3},"v":4,"messages":[' +
      text() +
      ']}}]}]}';
    const events = eventsOf(body).map((event) => [event.eventKind, event.eventKind === 'field' && event.member, event.raw.toString().slice(0, 12)]);
    expect(events).toEqual([
      ['quarantine', false, '0'],
      ['field', 'entry.e', '1'],
      ['field', 'change.c', '2'],
      ['field', 'metadata', '{"phone_numb'],
      ['field', 'v', '4'],
      ['message', false, '{"from":"120'],
    ]);
  });

  it('a value that a second member of the same name replaced is in quarantine, and its replay records it', () => {
    const body = wire(`"messages":[${text()}],"messages":[${text().replace('wamid.A', 'wamid.B')}]`);
    const [replaced, used] = eventsOf(body);
    expect(used).toMatchObject({ eventKind: 'message', messageId: 'wamid.B' });
    expect(replaced).toMatchObject({ eventKind: 'quarantine', reason: { code: 'duplicate-key' } });
    expect(replaced?.eventKind === 'quarantine' && onlyEvent(replaced.replayBody)).toMatchObject({ eventKind: 'message', messageId: 'wamid.A', phoneNumberId: '307' });
    const entryTwice = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"security","value":{}}]}],"entry":[]}`;
    expect(eventsOf(onlyQuarantine(entryTwice).replayBody).map(lineOf)).toEqual(['field']);
  });

  it('a lone surrogate, NUL, 2^53 + 1, a duplicate key, deep nesting inside a message: recorded, with the bytes as they were', () => {
    const deep = `${'['.repeat(500)}${']'.repeat(500)}`;
    const odd = text('"\\ud83d \\u0000"', `,"n":9007199254740993,"twice":1,"twice":2,"deep":${deep}`);
    const [event, neighbour] = eventsOf(wire(`"messages":[${odd},${text().replace('wamid.A', 'wamid.B')}]`));
    expect(event).toMatchObject({ eventKind: 'message', text: '\ud83d \u0000' });
    expect(event?.raw.toString()).toBe(odd);
    expect(event?.eventKind !== 'quarantine' && event?.anomalies.map(({ code }) => code)).toEqual(['lone-surrogate', 'inexact-number', 'duplicate-key', 'too-deep']);
    expect(neighbour).toMatchObject({ anomalies: [], eventKind: 'message' });
  });

  it('a lone surrogate in the name of a member or in the time of an entry is written as its escape', () => {
    const body = `{"object":"whatsapp_business_account","entry":[{"id":"208","time":"\\ud800","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"307"},"\\udfff":1,"messages":[${text()}]}}]}]}`;
    expect(eventsOf(body)[0]).toMatchObject({ eventKind: 'field', member: '\\udfff', entryTime: '\\ud800' });
  });

  it('the field may stand in the entry, and so may the object', () => {
    expect(onlyEvent(fixture('field-in-the-entry'))).toMatchObject({ field: 'account_update', type: 'PARTNER_APP_INSTALLED' });
    expect(onlyEvent(fixture('object-in-the-entry'))).toMatchObject({ field: 'account_update' });
  });
});

describe('any delivery', () => {
  const id = fc.constantFrom('"wamid.A"', '"wamid.B"', '""', '7', 'null', '"\\ud800"');
  const item = fc.oneof(
    { weight: 3, arbitrary: id.map((value) => text().replace('"wamid.A"', value)) },
    { weight: 2, arbitrary: id.map((value) => `{"id":${value},"status":"sent","timestamp":"1","recipient_id":"12025550143"}`) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
  );
  const list = (key: string) => fc.array(item, { maxLength: 5 }).map((items) => ({ key, items }));
  const value = fc.record({ lists: fc.tuple(list('messages'), list('statuses'), list('errors'), list('user_actions')), metadata: fc.constantFrom('{"phone_number_id":"307"}', '{}', 'null') });
  const body = fc.array(fc.array(value, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
  type Body = readonly (readonly { lists: readonly { key: string; items: readonly string[] }[]; metadata: string }[])[];
  const write = (entries: Body): string =>
    `{"object":"whatsapp_business_account","entry":[${entries
      .map((changes) => `{"id":"208","changes":[${changes.map(({ lists, metadata }) => `{"field":"messages","value":{"metadata":${metadata},${lists.map(({ key, items }) => `"${key}":[${items.join(',')}]`).join(',')}}}`).join(',')}]}`)
      .join(',')}]}`;

  it('is accounted for: each element of each list is one event or one in quarantine, with exactly its bytes, in order', () => {
    fc.assert(
      fc.property(body, (entries) => {
        const elements = entries.flat().flatMap(({ lists }) => lists.flatMap(({ items }) => items.map((each) => each.trim())));
        const events = eventsOf(write(entries)).filter((event) => /\]$/.test(event.path) && event.path.includes('.value.'));
        expect(events.map(({ raw }) => raw.toString())).toEqual(elements);
      }),
      { numRuns },
    );
  });

  it('never throws, whatever bytes it is made of; codes are of the closed list; recorded events have what identity needs', () => {
    const anyFixture = fc.constantFrom(...names).map(fixture);
    const change = fc.record({ at: fc.nat(), cut: fc.nat(6), put: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constantFrom('null', '[]', '{}', '"":', '\\ud800', '1e999', '"id":1,', ',', '}').map((s) => Buffer.from(s))) });
    fc.assert(
      fc.property(anyFixture, fc.array(change, { minLength: 1, maxLength: 3 }), (bytes, changes) => {
        let mutated = bytes;
        for (const { at, cut, put } of changes) {
          const from = at % (mutated.length + 1);
          mutated = Buffer.concat([mutated.subarray(0, from), put, mutated.subarray(from + cut)]);
        }
        const split = splitDelivery(mutated);
        if (split.kind === 'quarantine') return expect(QUARANTINE_CODES).toContain(split.reason.code);
        for (const event of split.events) {
          if (event.eventKind === 'quarantine') {
            expect(QUARANTINE_CODES).toContain(event.reason.code);
            expect(splitDelivery(event.replayBody).kind).toBe('events');
          } else {
            expect(identityOf(event).slice(0, event.eventKind === 'field' ? 4 : 3).every((part) => part !== '')).toBe(true);
            expect(identityOf(event).every((part) => Buffer.from(part).toString() === part)).toBe(true);
          }
          expect(mutated.indexOf(event.raw)).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: numRuns * 2 },
    );
  });

  it('any JSON at all in place of any node of a delivery', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.jsonValue(), (name, at, replacement) => {
        const tree = parsed(fixture(name));
        const places: (readonly [Record<string, unknown>, string])[] = [];
        const walk = (node: unknown): void => {
          if (typeof node !== 'object' || node === null) return;
          for (const key of Object.keys(node)) {
            places.push([node as Record<string, unknown>, key]);
            walk((node as Record<string, unknown>)[key]);
          }
        };
        walk(tree);
        const place = places[at % places.length];
        if (place !== undefined) place[0][place[1]] = replacement;
        const split = splitDelivery(Buffer.from(JSON.stringify(tree)));
        expect(['events', 'quarantine']).toContain(split.kind);
      }),
      { numRuns },
    );
  });

  it('of 1,000 updates and 3 MB is taken, mixed and all', () => {
    const messages = Array.from({ length: 1000 }, (_, i) => text(`"${'x'.repeat(3000)}"`).replace('wamid.A', `wamid.${i}`));
    const bytes = Buffer.from(wire(`"messages":[${messages.join(',')}],"statuses":[]`));
    expect(bytes.length).toBeGreaterThan(3_000_000);
    const events = eventsOf(bytes);
    expect(events).toHaveLength(1000);
    expect(new Set(events.map((event) => identityOf(event).join()))).toHaveProperty('size', 1000);
  });
});

describe('a chunk of old conversations', () => {
  const chunk = (inside: string) => wire(`"history":[${inside}]`, 'history');
  it('keeps what stands beside its messages, at every level', () => {
    const body = chunk(`{"metadata":{"phase":1,"x":1},"errors":[{"code":1}],"new":2,"threads":[{"id":"1202","pinned":true,"context":{"wa_id":"1202","y":3},"messages":[${text()},5]},{"id":"1203"}]}`);
    expect(eventsOf(body).map((event) => [lineOf(event), event.raw.toString().slice(0, 14)])).toEqual([
      ['field text (history.message)', '{"from":"12025'],
      ['quarantine wrong-shape', '5'],
      ['field (history.thread.pinned) unknown', 'true'],
      ['field (history.thread.context) unknown', '{"wa_id":"1202'],
      ['field (history.thread) unknown', '{"id":"1203"}'],
      ['field (history.metadata) unknown', '{"phase":1,"x"'],
      ['field (errors)', '{"code":1}'],
      ['field (history.new) unknown', '2'],
    ]);
  });
  it('belongs to the person of the thread, whoever wrote', () => {
    expect(eventsOf(fixture('history.chunk')).map((event) => event.eventKind === 'field' && [event.direction, event.customer?.waId])).toEqual([
      ['inbound', '12025550143'],
      ['outbound', '12025550143'],
      ['inbound', '12025550143'],
      ['inbound', '447700900112'],
    ]);
  });
});
