/** What src/ports.ts promises about vault and inbox, for every implementation. Names are new in every test, so one bucket serves all. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PortError, type Inbox, type Vault } from '../../src/ports';

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    (result) => `no error: ${String(result)}`,
    (error: unknown) => (error instanceof PortError ? error.code : String(error)),
  );
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** `vault` must hold neither `checkpoint` nor `log.vkeys` yet. */
export function vaultContract(name: string, make: () => Promise<Vault>): void {
  describe(`${name} keeps the vault`, () => {
    let vault: Vault;
    beforeAll(async () => {
      vault = await make();
    });
    const blob = (): { readonly name: string; readonly bytes: Buffer } => {
      const bytes = randomBytes(100);
      return { name: `blob/${createHash('sha256').update(bytes).digest('hex')}`, bytes };
    };

    test('an absent object is absent', async () => expect(await vault.get(blob().name)).toBe('absent'));

    test.each([
      ['locked', 'createLocked', () => blob().name],
      ['partial', 'createPartial', () => `tile/0/x${String(Math.floor(Math.random() * 1000)).padStart(3, '0')}/x123/456.p/${1 + Math.floor(Math.random() * 255)}`],
    ] as const)('a %s object is written once: the same bytes again are fine, others an alarm', async (_kind, method, nameOf) => {
      const [objectName, bytes] = [nameOf(), randomBytes(64)];
      expect(await vault[method](objectName, bytes)).toBe('created');
      expect(await vault[method](objectName, bytes)).toBe('exists');
      expect(await codeOf(vault[method](objectName, randomBytes(64)))).toBe('different-bytes');
      expect(await codeOf(vault[method](objectName, bytes.subarray(1)))).toBe('different-bytes');
      expect(await vault.get(objectName)).toEqual(bytes);
    });

    test('an object of more bytes than are wanted is corrupt, of as many it is given', async () => {
      const { name: objectName, bytes } = blob();
      await vault.createLocked(objectName, bytes);
      expect(await codeOf(vault.get(objectName, bytes.length - 1))).toBe('corrupt');
      expect(await vault.get(objectName, bytes.length)).toEqual(bytes);
    });

    test('of many that create one name at once with the same bytes none fails, and with other bytes one wins', async () => {
      const { name: same, bytes } = blob();
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => vault.createLocked(same, bytes)));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      const { name: contested } = blob();
      const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(vault.createLocked(contested, randomBytes(8)))));
      expect(codes.filter((code) => code === 'no error: created')).toHaveLength(1);
      expect(codes.filter((code) => code === 'different-bytes')).toHaveLength(5);
    });

    test('an empty object and one of a megabyte come back as they are', async () => {
      for (const size of [0, 1_000_000]) {
        const [objectName, bytes] = [`blob/${randomBytes(32).toString('hex')}`, randomBytes(size)];
        await vault.createLocked(objectName, bytes);
        expect((await vault.get(objectName)) as Buffer).toHaveLength(size);
        expect(bytes.equals((await vault.get(objectName)) as Buffer)).toBe(true);
      }
    });

    test.each(['checkpoint', 'log.vkeys'] as const)('%s is replaced only by who has seen what it replaces', async (mutable) => {
      expect(await vault.getMutable(mutable)).toBe('absent');
      expect(await vault.replaceMutable(mutable, Buffer.from('1'), '"0123456789abcdef0123456789abcdef"')).toBe('stale');
      expect(await vault.replaceMutable(mutable, Buffer.from('1'), 'absent')).toBe('replaced');
      expect(await vault.replaceMutable(mutable, Buffer.from('2'), 'absent')).toBe('stale');
      const first = await vault.getMutable(mutable);
      if (first === 'absent') throw new Error('it was just put');
      expect(first.bytes.toString()).toBe('1');
      expect(await vault.replaceMutable(mutable, Buffer.from('2'), first.etag)).toBe('replaced');
      expect(await vault.replaceMutable(mutable, Buffer.from('3'), first.etag)).toBe('stale');
      expect((await vault.getMutable(mutable)) as { bytes: Buffer }).toMatchObject({ bytes: Buffer.from('2') });
    });

    test('a partial tile can be deleted, whether it is there or not', async () => {
      const objectName = `tile/1/x${String(Math.floor(Math.random() * 1000)).padStart(3, '0')}/321.p/7`;
      await vault.createPartial(objectName, Buffer.from('x'));
      await vault.deletePartial(objectName);
      expect(await vault.get(objectName)).toBe('absent');
      await vault.deletePartial(objectName);
    });

    test('nothing but a partial tile can be deleted', async () => {
      const { name: objectName, bytes } = blob();
      await vault.createLocked(objectName, bytes);
      await expect(vault.deletePartial(objectName)).rejects.toThrow();
      expect(await vault.get(objectName)).toEqual(bytes);
    });

    test('names are listed by prefix, in order of their bytes', async () => {
      const folder = `report/${randomUUID()}`;
      for (const leaf of ['b', 'a', 'c/d', 'B']) await vault.createLocked(`${folder}/${leaf}`, Buffer.from(leaf));
      expect(await all(vault.list(`${folder}/`))).toEqual(['B', 'a', 'b', 'c/d'].map((leaf) => `${folder}/${leaf}`));
      expect(await all(vault.list(`${folder}/c`))).toEqual([`${folder}/c/d`]);
      expect(await all(vault.list(`${folder}/none`))).toEqual([]);
      expect(await all(vault.list(`${folder}/`, { after: `${folder}/a` }))).toEqual(['b', 'c/d'].map((leaf) => `${folder}/${leaf}`));
      expect(await all(vault.list(`${folder}/`, { after: `${folder}/az` }))).toEqual(['b', 'c/d'].map((leaf) => `${folder}/${leaf}`));
    });
  });
}

export function inboxContract(name: string, make: () => Promise<Inbox>): void {
  describe(`${name} keeps the inbox`, () => {
    let inbox: Inbox;
    beforeAll(async () => {
      inbox = await make();
    });
    const named = (bytes: Buffer, folder = 'content'): string => `${folder}/${createHash('sha256').update(bytes).digest('hex')}`;

    test('a body is put once, comes back, and can be removed', async () => {
      const body = randomBytes(30_000);
      expect(await inbox.get(named(body))).toBe('absent');
      expect(await inbox.put(named(body), body)).toBe('created');
      expect(await inbox.put(named(body), body)).toBe('exists');
      expect(body.equals((await inbox.get(named(body))) as Buffer)).toBe(true);
      await inbox.remove(named(body));
      expect(await inbox.get(named(body))).toBe('absent');
      await inbox.remove(named(body));
    });

    test('other bytes under a taken name are an alarm', async () => {
      const body = randomBytes(10);
      await inbox.put(named(body), body);
      expect(await codeOf(inbox.put(named(body), randomBytes(10)))).toBe('different-bytes');
    });

    test('what waits is listed with its time and size', async () => {
      const folder = `delivery/${randomUUID()}`;
      const bodies = [randomBytes(5), randomBytes(7)];
      for (const body of bodies) await inbox.put(named(body, folder), body);
      const listed = await all(inbox.list(`${folder}/`));
      expect(listed.map((each) => [each.name, each.bytes]).sort()).toEqual(bodies.map((body) => [named(body, folder), body.length]).sort());
      for (const { at } of listed) expect(at).toBeInstanceOf(Date);
    });
  });
}
