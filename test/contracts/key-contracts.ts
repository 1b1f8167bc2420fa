/** What src/ports.ts promises about wrapped keys, the KMS and the signer, for every implementation. `make` gives an empty key table. */
import { randomBytes } from 'node:crypto';
import { verifierKey, verifySignature } from '../../src/core/log/vkey';
import { newSubject } from '../../src/core/subject-key';
import type { Image } from '../../src/core/image';
import type { KeyService, KeyTable, RecordStore, SecretName, Signer, WrappedKey } from '../../src/ports';
import type { HoldMarks } from '../../src/ports/hold-marks';
import type { KeyErasure } from '../../src/ports/key-erasure';

export function keyTableContract(name: string, make: () => Promise<KeyTable>): void {
  describe(`${name} keeps wrapped keys`, () => {
    let keys: KeyTable;
    beforeAll(async () => {
      keys = await make();
    });
    const row = (): WrappedKey => ({ subject: newSubject(randomBytes), generation: 1, wrapped: randomBytes(60), kek: 1 });

    test('a key is made once and comes back', async () => {
      const key = row();
      expect(await keys.get(key.subject)).toBe('absent');
      expect(await keys.create(key)).toBe('created');
      expect(await keys.create({ ...key, wrapped: randomBytes(60) })).toBe('exists');
      expect(await keys.get(key.subject)).toEqual(key);
    });

    test('of many that make one at once exactly one does, and all read that one', async () => {
      const key = row();
      const rows = Array.from({ length: 8 }, () => ({ ...key, wrapped: randomBytes(60) }));
      const outcomes = await Promise.all(rows.map((each) => keys.create(each)));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(await keys.get(key.subject)).toEqual(rows[outcomes.indexOf('created')]);
    });

    test.each<SecretName>(['kek', 'mac', 'dedupe'])('the secret %s is made once, with a ciphertext a region', async (secret) => {
      expect(await keys.getSecret(secret)).toBe('absent');
      const wrapped = { generation: 1, wrapped: { 'eu-central-1': randomBytes(150), 'eu-west-1': randomBytes(150) } };
      expect(await keys.createSecret(secret, wrapped)).toBe('created');
      expect(await keys.createSecret(secret, { generation: 2, wrapped: { 'eu-west-1': randomBytes(150) } })).toBe('exists');
      expect(await keys.getSecret(secret)).toEqual(wrapped);
    });
  });
}

export function keyServiceContract(name: string, make: () => Promise<KeyService>): void {
  describe(`${name} wraps secrets`, () => {
    let service: KeyService;
    beforeAll(async () => {
      service = await make();
    });

    test('a secret has 32 bytes, another one every time, the same at every unwrapping', async () => {
      const [a, b] = [await service.generate('mac'), await service.generate('mac')];
      const plain = await service.unwrap('mac', a);
      expect(plain).toHaveLength(32);
      expect(await service.unwrap('mac', a)).toEqual(plain);
      expect(await service.unwrap('mac', b)).not.toEqual(plain);
      expect(a.includes(plain)).toBe(false);
    });

    test('a secret opens under its own name only, and only unchanged', async () => {
      const wrapped = await service.generate('kek');
      await expect(service.unwrap('dedupe', wrapped)).rejects.toMatchObject({ name: 'PortError' });
      await expect(service.unwrap('kek', wrapped.subarray(0, -1))).rejects.toMatchObject({ name: 'PortError' });
      await expect(service.unwrap('kek', randomBytes(100))).rejects.toMatchObject({ name: 'PortError' });
    });

    test('it knows its region', () => expect(service.region).toMatch(/^[a-z]+[a-z0-9-]*$/));
  });
}

export function signerContract(name: string, make: () => Promise<Signer>): void {
  describe(`${name} signs`, () => {
    test('exactly the bytes it is given, with Ed25519, under the key it names', async () => {
      const signer = await make();
      const key = verifierKey('example.com/log', await signer.publicKey());
      for (const message of [Buffer.from('a'), randomBytes(4096)]) {
        const signature = await signer.sign(message);
        expect(signature).toHaveLength(64);
        expect(verifySignature(key, message, signature)).toBe(true);
        expect(verifySignature(key, Buffer.concat([message, Buffer.from('x')]), signature)).toBe(false);
        expect(await signer.sign(message)).toEqual(signature); // RFC 8032 signatures are deterministic: a crash does not make two notes
      }
    });
  });
}

/** What src/ports/key-erasure.ts promises. `make` gives empty tables, and writes to the records table through `records`. */
export function keyErasureContract(name: string, make: () => Promise<{ readonly erasure: KeyErasure; readonly keys: KeyTable; readonly records: Pick<RecordStore, 'create' | 'get'>; readonly marks: HoldMarks }>): void {
  describe(`${name} takes keys away`, () => {
    const AT = '2026-02-03T04:05:06.789Z';
    let it: Awaited<ReturnType<typeof make>>;
    let n = 0;
    const record = (rev: number, place = `place ${n}`): Image => ({ pk: { S: place }, sk: { S: 's' }, rev: { N: String(rev) } });
    const key = async (): Promise<WrappedKey> => {
      const row = { subject: newSubject(randomBytes), generation: 1, wrapped: randomBytes(60), kek: 1 };
      await it.keys.create(row);
      return row;
    };
    beforeAll(async () => {
      it = await make();
    });
    beforeEach(() => void n++);

    test('with what is written beside it, all or nothing', async () => {
      const [a, b] = [await key(), await key()];
      await it.records.create(record(1));
      const refused = await it.erasure.erase([a.subject, b.subject], AT, [{ op: 'replace', image: record(3), ifRev: 2 }], []);
      expect(refused).toEqual({ refused: [record(1)] });
      expect(await it.keys.get(a.subject)).toEqual(a);
      expect(await it.erasure.erase([a.subject, b.subject], AT, [{ op: 'replace', image: record(2), ifRev: 1 }], [])).toBe('done');
      expect([await it.keys.get(a.subject), await it.keys.get(b.subject)]).toEqual(['erased', 'erased']);
      expect(await it.records.get({ pk: `place ${n}`, sk: 's' }, { consistent: true })).toEqual(record(2));
    });

    test('a condition on a record that writes nothing refuses it as well', async () => {
      const mine = await key();
      const check = { op: 'check-rev', key: { pk: `place ${n}`, sk: 's' }, ifRev: 1 } as const;
      expect(await it.erasure.erase([mine.subject], AT, [check], [])).toEqual({ refused: ['absent'] });
      expect(await it.keys.get(mine.subject)).toEqual(mine);
      await it.records.create(record(1));
      expect(await it.erasure.erase([mine.subject], AT, [check], [])).toBe('done');
    });

    test('for ever: no key is made for an erased subject, nor for one that had none', async () => {
      const mine = await key();
      const none = newSubject(randomBytes);
      for (let again = 0; again < 2; again++) {
        expect(await it.erasure.erase([mine.subject, none], AT, [{ op: 'create', image: record(1, `place ${n} ${again}`) }], [])).toBe('done');
        for (const subject of [mine.subject, none]) {
          expect(await it.keys.create({ ...mine, subject })).toBe('exists');
          expect(await it.keys.get(subject)).toBe('erased');
        }
      }
    });

    test('from nobody who is marked as being under a hold, whatever the writes beside it say', async () => {
      const [mine, other] = [await key(), await key()];
      const write = (again: number) => [{ op: 'create', image: record(1, `place ${n} ${again}`) }] as const;
      expect(await it.marks.transact(write(0), [{ subject: mine.subject, held: true }])).toBe('done');
      // The first time for its name, so that the conditions of the writes hold.
      for (const unheld of [[mine.subject], [other.subject, mine.subject]]) expect(await it.erasure.erase([mine.subject, other.subject], AT, write(1), unheld)).toBe('held');
      expect([await it.keys.get(mine.subject), await it.keys.get(other.subject)]).toEqual([mine, other]);
      expect(await it.records.get({ pk: `place ${n} 1`, sk: 's' }, { consistent: true })).toBe('absent');
      // Both stand in the way: the hold is told.
      expect(await it.erasure.erase([mine.subject], AT, write(0), [mine.subject])).toBe('held');
      expect(await it.marks.transact(write(2), [{ subject: mine.subject, held: false }])).toBe('done');
      expect(await it.erasure.erase([mine.subject, other.subject], AT, write(1), [mine.subject, other.subject])).toBe('done');
      expect([await it.keys.get(mine.subject), await it.keys.get(other.subject)]).toEqual(['erased', 'erased']);
    });

    test('and a mark is made with what is written beside it, all or nothing, also of a subject that has no key yet', async () => {
      const row = { subject: newSubject(randomBytes), generation: 1, wrapped: randomBytes(60), kek: 1 };
      await it.records.create(record(1));
      expect(await it.marks.transact([{ op: 'create', image: record(2) }], [{ subject: row.subject, held: true }])).toEqual({ refused: [record(1)] });
      expect(await it.marks.transact([{ op: 'replace', image: record(2), ifRev: 1 }], [{ subject: row.subject, held: true }])).toBe('done');
      expect(await it.keys.get(row.subject)).toBe('absent');
      expect(await it.keys.create(row)).toBe('created');
      expect(await it.keys.get(row.subject)).toEqual(row);
      expect(await it.erasure.erase([row.subject], AT, [{ op: 'check-rev', key: { pk: `place ${n}`, sk: 's' }, ifRev: 2 }], [row.subject])).toBe('held');
    });
  });
}
