/**
 * What splitting a delivery costs: microseconds of one text message's webhook (median of many), against JSON.parse of the same bytes; and how time grows up
 * to the 3 MB that Meta allows. Prints ratios within one run; the machine's own speed cancels out.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../src/core/canonical-json';
import { parseSlices } from '../src/core/meta/json-slices';
import { shapeOfMessage } from '../src/core/meta/messages';
import { verifySignature } from '../src/core/meta/signature';
import { splitDelivery } from '../src/core/meta/split-delivery';

const message = (n: number, body: string) => ({
  from: '4915550001234',
  from_user_id: 'DE.13491208655302741918',
  id: `wamid.HBgNNDkxNTU1MDAwMTIzNBUCABIYFDNB${String(n).padStart(24, '0')}AA==`,
  timestamp: '1790000000',
  text: { body },
  type: 'text',
});
const delivery = (messages: readonly object[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [
            {
              value: {
                messaging_product: 'whatsapp',
                metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
                contacts: [{ profile: { name: 'Ada Example', username: '@ada' }, wa_id: '4915550001234', user_id: 'DE.13491208655302741918' }],
                messages,
              },
              field: 'messages',
            },
          ],
        },
      ],
    }).replace(/[/]/g, '\\/'),
  );

/** Median over `rounds` of the mean microseconds of `batch` calls; batches shorter than a scheduler slice, so that a busy machine moves few of them. */
function median(run: () => unknown, rounds = 2000, batch = 10): number {
  for (let i = 0; i < (rounds < 100 ? 1 : 20_000); i += 1) run();
  const times: number[] = [];
  for (let r = 0; r < rounds; r += 1) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < batch; i += 1) run();
    times.push(Number(process.hrtime.bigint() - start) / 1000 / batch);
  }
  return times.sort((a, b) => a - b)[rounds >> 1] ?? 0;
}

const one = delivery([message(1, 'Does it come in another color? '.repeat(8))]);
const object = message(1, 'Does it come in another color? '.repeat(8));
const native = median(() => JSON.parse(one.toString('utf8')));
const rows: readonly (readonly [string, number])[] = [
  ['JSON.parse', native],
  ['parseSlices', median(() => parseSlices(one))],
  ['zod, one text message', median(() => shapeOfMessage(object, false))],
  ['canonical form and digest', median(() => createHash('sha256').update(canonicalize(object)).digest('hex'))],
  ['splitDelivery, all of it', median(() => splitDelivery(one))],
  ['verifySignature', median(() => verifySignature(one, `sha256=${'0'.repeat(64)}`, ['secret']))],
];
console.log(`one text message, ${one.length} bytes`);
for (const [name, us] of rows) console.log(`${name.padEnd(28)} ${us.toFixed(1).padStart(8)} µs ${(us / native).toFixed(1).padStart(6)} × JSON.parse`);

console.log('\ngrowth, CPU µs per KB, garbage collection included (flat is linear)');
for (const count of [10, 100, 1000, 7000]) {
  const body = delivery(Array.from({ length: count }, (_, i) => message(i, 'Does it come in another color? '.repeat(8))));
  const runs = Math.max(5, Math.floor(2000 / count));
  for (let i = 0; i < runs; i += 1) splitDelivery(body);
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i += 1) splitDelivery(body);
  const { user, system } = process.cpuUsage(before);
  const us = (user + system) / runs;
  console.log(`${String(count).padStart(5)} messages ${(body.length / 1024).toFixed(0).padStart(6)} KB ${(us / 1000).toFixed(1).padStart(8)} ms ${((us / body.length) * 1024).toFixed(1).padStart(6)} µs/KB`);
}
