import { FINDING_CODES } from '../../src/core/verify/finding-codes';
import { BuiltVault, builtVault, found, keyPair, makeEntry, sha256, verify } from './built-vault';
import type { VerifyState } from '../../src/operations/verify-vault';

const FULL = process.env['INTACT_FULL'] === '1';

describe('a healthy vault', () => {
  test('is verified: the report states its size, root, and what was read', async () => {
    const vault = await builtVault(3, 300, 297);
    const report = await verify(vault);
    expect(report).toMatchObject({ ok: true, origin: 'example.org/intact/test', keySource: 'given', size: 600, entries: 600, segments: 3, orphans: [], locks: null, memory: null, unchecked: ['locks'], findings: [] });
    expect(report.root).toBe(vault.objects.get('checkpoint')!.toString().split('\n')[2]);
    expect(report.tiles).toBe(4);
  });

  test(`is verified at every size from 0 to 600${FULL ? '' : ' (around the tile edges; all with INTACT_FULL=1)'}`, async () => {
    const vault = new BuiltVault();
    await vault.publish();
    for (let size = 0; size <= 600; size++) {
      if (size > 0) {
        vault.sealCount(1);
        await vault.publish();
      }
      if (!FULL && ![0, 256, 512, 600].some((edge) => Math.abs(size - edge) < 5)) continue;
      // Checkpoints and partials of the last three sizes only, or each verification would re-read hundreds of them.
      const stale = (name: string): boolean => /^checkpoints\/|^tile\/.*\.p\//.test(name) && Number(name.replace(/.*\//, '')) % 256 < (size % 256) - 3;
      const recent = new Map([...vault.objects].filter(([name]) => !stale(name)));
      if (size > 0) recent.set(`checkpoints/${size}`, vault.objects.get(`checkpoints/${size}`)!);
      for (const name of [`tile/1/000.p/${Math.floor(size / 256)}`]) if (vault.objects.has(name)) recent.set(name, vault.objects.get(name)!);
      const report = await verify(recent);
      expect([size, found(report), report.size, report.segments]).toEqual([size, [], size, size]);
    }
  }, 300_000);

  test('is verified when sealing runs ahead of publishing, by whole tiles or by one entry', async () => {
    const vault = await builtVault(250);
    for (const ahead of [1, 5, 3, 600]) {
      vault.sealCount(ahead);
      expect(found(await verify(vault))).toEqual([]);
    }
    expect(await verify(vault)).toMatchObject({ size: 250, segments: 5, orphans: [] });
  });

  test('is verified whatever publishing had written when it died, but for a signed checkpoint that never became the current one', async () => {
    for (const n of FULL ? [1, 6, 7, 300, 600] : [1, 6, 300]) {
      for (let steps = 0; steps < 14; steps++) {
        const vault = await builtVault(250);
        vault.sealCount(n);
        await vault.publish(steps);
        const largest = Math.max(...[...vault.objects.keys()].filter((name) => name.startsWith('checkpoints/')).map((name) => Number(name.slice(12))));
        const report = await verify(vault);
        const behind = largest > report.size ? ['checkpoint-behind checkpoint'] : [];
        expect([n, steps, found(report)]).toEqual([n, steps, behind]);
        await vault.publish(); // the next round finishes it
        expect([n, steps, found(await verify(vault))]).toEqual([n, steps, []]);
      }
    }
  });

  test('may hold the partials of earlier checkpoints, or not', async () => {
    const vault = await builtVault(100, 100);
    expect([...vault.objects.keys()]).toEqual(expect.arrayContaining(['tile/0/000.p/100', 'tile/0/000.p/200', 'tile/entries/000.p/100']));
    expect(found(await verify(vault))).toEqual([]);
    vault.objects.delete('tile/0/000.p/100');
    vault.objects.delete('tile/entries/000.p/100');
    expect(found(await verify(vault))).toEqual([]);
  });

  test('whose publisher replaced a partial after we read the checkpoint is verified from the full tile', async () => {
    const vault = await builtVault(250);
    const checkpoint = vault.objects.get('checkpoint')!;
    vault.sealCount(10);
    await vault.publish();
    const live = new Map(vault.objects).set('checkpoint', checkpoint);
    live.delete('checkpoints/260');
    expect(live.has('tile/0/000.p/250')).toBe(false);
    expect(found(await verify(live))).toEqual([]);
  });

  test('lists the segments of losing sealers as orphans, however they overlap the chain', async () => {
    const vault = await builtVault(10);
    const loser = new BuiltVault();
    const orphans: string[] = [];
    const lose = (from: number, entries: readonly Buffer[]): void => {
      loser.entries.splice(0, Infinity, ...Array.from({ length: from }, (_, i) => vault.entries[i]!));
      orphans.push(loser.seal(entries));
    };
    lose(10, [makeEntry(10, { salt: 'x' })]); // other entries
    lose(10, [makeEntry(10), makeEntry(11)]); // the beginning of the winner's
    lose(10, Array.from({ length: 40 }, (_, i) => makeEntry(10 + i))); // more than the winner's, and the same at first
    vault.sealCount(5);
    await vault.publish();
    lose(15, [makeEntry(15, { salt: 'x' })]); // at the tip
    for (const [name, bytes] of loser.objects) if (name.startsWith('segment/')) vault.put(name, bytes);
    const report = await verify(vault);
    expect(found(report)).toEqual([]);
    expect(report.segments).toBe(3); // the one at the tip may yet be the winner's
    expect(report.orphans).toEqual(expect.arrayContaining(orphans.slice(0, 3)));
    vault.sealCount(1);
    await vault.publish();
    const later = await verify(vault);
    expect([found(later), later.segments, [...later.orphans].sort()]).toEqual([[], 3, orphans.sort()]);
  });

  test('lists blobs that no entry names as orphans', async () => {
    const vault = await builtVault(3);
    vault.putBlob('nobody names me');
    expect(await verify(vault)).toMatchObject({ ok: true, orphans: [`blob/${sha256(Buffer.from('nobody names me'))}`] });
  });

  test('with blobs, reports and snapshots that entries name is verified, those of unpublished entries too', async () => {
    const vault = new BuiltVault();
    const report = Buffer.from('{"report":1}');
    vault.seal([makeEntry(0, { blob: vault.putBlob('a body') }), makeEntry(1, { objects: [{ name: 'report/2026-01/summary.json', sha256: sha256(report) }] })]);
    vault.put('report/2026-01/summary.json', report);
    await vault.publish();
    vault.seal([makeEntry(2, { objects: [{ name: 'snapshot/2/manifest', sha256: sha256(Buffer.from('m')) }] })]);
    vault.put('snapshot/2/manifest', Buffer.from('m'));
    expect(await verify(vault)).toMatchObject({ ok: true, orphans: [], findings: [] });
  });

  test('crosses a level of tiles', async () => {
    const vault = new BuiltVault();
    vault.seal(Array.from({ length: 65_536 + 300 }, (_, i) => Buffer.from(String(i))));
    await vault.publish();
    expect([...vault.objects.keys()]).toEqual(expect.arrayContaining(['tile/1/000', 'tile/1/001.p/1', 'tile/2/000.p/1']));
    const foreign = { profile: 'tlog-tiles' } as const;
    expect(await verify(vault, foreign)).toMatchObject({ findings: [], tiles: 261 });
    vault.objects.get('tile/1/000')![100]! ^= 1;
    expect(found(await verify(vault, foreign))).toEqual(['tile-altered tile/1/000']);
    vault.objects.get('tile/entries/003')![102]! ^= 1; // under the damaged tile
    // The hash that would arbitrate between bundle and tile is the damaged one, so both are suspects.
    expect(found(await verify(vault, foreign))).toEqual(expect.arrayContaining(['entry-modified tile/entries/003', 'tile-altered tile/0/003', 'tile-altered tile/1/000']));
    vault.objects.get('tile/entries/003')![102]! ^= 1;
    vault.objects.get('tile/entries/004')![104]! ^= 1; // under the damaged tile, but not under its damaged hash
    expect(found(await verify(vault, foreign))).toEqual(['entry-modified tile/entries/004', 'tile-altered tile/1/000']);
  });
});

describe('keys', () => {
  test('without a pinned key the vault\'s own is used, and the report says so', async () => {
    expect(await verify(await builtVault(3), { keys: [] })).toMatchObject({ ok: true, keySource: 'vault' });
  });

  test('a log swapped as a whole, keys included, is refused by who pinned the key', async () => {
    const stranger = new BuiltVault(keyPair(66));
    stranger.sealCount(3);
    await stranger.publish();
    expect(found(await verify(stranger, { keys: [] }))).toEqual([]);
    expect(found(await verify(stranger))).toEqual(['key-not-listed log.vkeys', 'checkpoint-untrusted-key checkpoint', 'checkpoint-untrusted-key checkpoints/3']);
  });

  test('a rotated log is verified by who pinned the old key, the new one, or both', async () => {
    const vault = await builtVault(3);
    await vault.rotate(keyPair(2));
    expect(found(await verify(vault))).toEqual([]); // the key is added before it signs
    vault.sealCount(3);
    await vault.publish();
    for (const keys of [[keyPair(1).key], [keyPair(2).key], [keyPair(1).key, keyPair(2).key], []]) expect(found(await verify(vault, { keys }))).toEqual([]);
    expect(found(await verify(vault, { keys: [keyPair(1).key, keyPair(3).key] }))).toEqual(['key-not-listed log.vkeys']);
  });

  test('a retired key may not sign again', async () => {
    const vault = await builtVault(3);
    await vault.rotate(keyPair(2));
    vault.sealCount(3);
    await vault.publish();
    const stolen = new BuiltVault();
    stolen.seal(vault.entries);
    stolen.sealCount(1);
    await stolen.publish();
    for (const [name, bytes] of stolen.objects) if (name !== 'log.vkeys') vault.put(name, bytes);
    expect(found(await verify(vault))).toEqual(expect.arrayContaining(['checkpoint-retired-key checkpoints/7']));
    expect(found(await verify(vault, { keys: [keyPair(2).key] }))).toEqual(expect.arrayContaining(['checkpoint-untrusted-key checkpoint']));
  });

  test('a key history cut back to an older key is noticed by who pinned the newer, and by the signature', async () => {
    const vault = await builtVault(3);
    const old = vault.objects.get('log.vkeys')!;
    await vault.rotate(keyPair(2));
    vault.sealCount(3);
    await vault.publish();
    vault.put('log.vkeys', old);
    expect(found(await verify(vault, { keys: [keyPair(2).key] }))).toContain('key-not-listed log.vkeys');
    expect(found(await verify(vault))).toContain('checkpoint-untrusted-key checkpoint');
  });
});

describe('memory', () => {
  const remember = async (vault: BuiltVault): Promise<{ origin: string; size: number; root: string }> => {
    const { origin, size, root } = await verify(vault);
    return { origin: origin!, size, root: root! };
  };

  test('of an earlier state is consistent with every later one', async () => {
    const vault = await builtVault(300);
    const remembered = await remember(vault);
    for (const n of [0, 1, 500]) {
      if (n > 0) vault.sealCount(n);
      await vault.publish();
      expect(await verify(vault, { remembered })).toMatchObject({ ok: true, memory: { size: 300, verdict: 'consistent' } });
    }
  });

  test('notices a tail cut off together with every trace of it', async () => {
    const remembered = await remember(await builtVault(300, 5));
    expect(await verify(await builtVault(300), { remembered })).toMatchObject({ memory: { verdict: 'rolled-back' }, findings: [{ code: 'memory-rolled-back' }] });
  });

  test('notices a history that was rewritten and signed again with the true key', async () => {
    const remembered = await remember(await builtVault(300));
    const forked = new BuiltVault();
    forked.seal([makeEntry(0, { salt: 'another' })]);
    forked.sealCount(400);
    await forked.publish();
    expect(await verify(forked, { remembered })).toMatchObject({ memory: { verdict: 'forked' }, findings: [{ code: 'memory-forked' }] });
  });
});

test('an interrupted verification goes on where it stopped and comes to the same report', async () => {
  const vault = await builtVault(100, 400, 700, 77);
  vault.seal([makeEntry(vault.entries.length, { blob: vault.putBlob('body') })]);
  await vault.publish();
  vault.objects.get('tile/0/001')![40]! ^= 1;
  vault.objects.get('tile/entries/003')![40]! ^= 1;
  vault.put('foo/bar', Buffer.from('stranger'));
  const whole = await verify(vault);
  expect(whole.findings.length).toBeGreaterThan(2);
  const bundles = Math.ceil(vault.entries.length / 256);
  expect(vault.entries.length % 256).toBeGreaterThan(0); // the last bundle is a partial one, which is never stopped behind
  for (let stopAfter = 1; stopAfter < bundles; stopAfter++) {
    let [state, seen]: [VerifyState | undefined, number] = [undefined, 0];
    const stopped = verify(vault, {
      onProgress: (progress) => {
        if (++seen < stopAfter) return;
        state = JSON.parse(JSON.stringify(progress.state())) as VerifyState;
        throw new Error('interrupted');
      },
    });
    await expect(stopped).rejects.toThrow('interrupted');
    const resumed = await verify(vault, { resume: state! });
    expect({ ...resumed, findings: found(resumed).sort() }).toEqual({ ...whole, findings: found(whole).sort() });
  }
});

test('every finding code has a meaning of one line', () => {
  for (const [code, meaning] of Object.entries(FINDING_CODES)) expect([code, /^[A-Z`l][^\n]{15,}\.$/.test(meaning)]).toEqual([code, true]);
});
