import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { decodeEntries, encodeEntries } from '../../../src/core/log/bundle';
import {
  appendLeaves,
  consistencyProof,
  EMPTY_EDGE,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOfEdge,
  rootOfLeaves,
  subtreesOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/core/log/merkle';
import { hash, propertyRuns, sumdb, sumdbEntry } from './vectors';

// Leaves and roots published with the Certificate Transparency reference implementation of RFC 6962 (merkletree test data).
const CT_LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const CT_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leavesOf = (n: number): Buffer => Buffer.concat(Array.from({ length: n }, (_, i) => leafHash(sumdbEntry(i))));
const ALL = leavesOf(600);
const first = (n: number): Buffer => ALL.subarray(0, n * 32);
const rootAt = (n: number): Buffer => hash(sumdb.roots[n]!);
const flip = (bytes: Buffer, at = 0): Buffer => Buffer.from(bytes.map((b, i) => (i === at ? b ^ 1 : b)));

describe('the Merkle tree', () => {
  test('has the roots of the Certificate Transparency test vectors', () => {
    const leaves = CT_LEAVES.map((hex) => leafHash(Buffer.from(hex, 'hex')));
    expect(CT_ROOTS.map((_, n) => rootOfLeaves(Buffer.concat(leaves.slice(0, n))).toString('hex'))).toEqual(CT_ROOTS);
    expect(EMPTY_ROOT.toString('hex')).toBe(CT_ROOTS[0]);
  });

  test('has the roots of golang.org/x/mod/sumdb/tlog at every size from 0 to 600', () => {
    expect(sumdb.roots).toHaveLength(601);
    expect(sumdb.roots.map((_, n) => rootOfLeaves(first(n)).toString('base64'))).toEqual(sumdb.roots);
  });

  test('separates leaves from nodes, so that no entry passes for a subtree', () => {
    const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
  });

  test('hashes an entry longer than any bundle holds like any other', () => {
    const long = Buffer.alloc(70_000, 7);
    const reference = createHash('sha256').update(Buffer.of(0)).update(long).digest();
    expect(leafHash(long)).toEqual(reference);
  });

  test('grows from its right edge alone to the same root, however the leaves are dealt', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), (parts) => {
        let tree = EMPTY_EDGE;
        for (const part of parts) {
          const to = Math.min(600, tree.size + part);
          tree = appendLeaves(tree, ALL.subarray(tree.size * 32, to * 32));
        }
        expect(rootOfEdge(tree.edge)).toEqual(rootAt(tree.size));
      }),
      { numRuns: Math.min(propertyRuns, 200) },
    );
  });

  test('refuses an edge that does not belong to the size', () => {
    expect(() => appendLeaves({ size: 3, edge: [leafHash(Buffer.of(1))] }, first(1))).toThrow(RangeError);
    expect(() => appendLeaves(EMPTY_EDGE, Buffer.alloc(33))).toThrow(RangeError);
  });
});

describe('an inclusion proof', () => {
  test('equals the one of golang.org/x/mod/sumdb/tlog and verifies against its roots', () => {
    for (const { size, of, proof } of sumdb.inclusion) {
      expect(inclusionProof(of, size, subtreesOfLeaves(ALL)).map((h) => h.toString('base64'))).toEqual(proof);
      expect(verifyInclusion(proof.map(hash), of, size, leafHash(sumdbEntry(of)), rootAt(size))).toBe(true);
    }
  });

  test('is refused with any one thing changed', () => {
    for (const { size, of, proof } of sumdb.inclusion.filter(({ size }) => size > 1)) {
      const path = proof.map(hash);
      const leaf = leafHash(sumdbEntry(of));
      for (let i = 0; i < path.length; i++) expect(verifyInclusion(path.map((h, j) => (i === j ? flip(h) : h)), of, size, leaf, rootAt(size))).toBe(false);
      expect(verifyInclusion(path, of, size, flip(leaf), rootAt(size))).toBe(false);
      expect(verifyInclusion(path, of, size, leaf, flip(rootAt(size)))).toBe(false);
      expect(verifyInclusion(path, of === 0 ? 1 : of - 1, size, leaf, rootAt(size))).toBe(false);
      expect(verifyInclusion(path.slice(1), of, size, leaf, rootAt(size))).toBe(false);
      expect(verifyInclusion([...path, leaf], of, size, leaf, rootAt(size))).toBe(false);
      expect(verifyInclusion(path, size, size, leaf, rootAt(size))).toBe(false);
    }
  });

  test('of arbitrary shape is answered with false, never with an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.double(), fc.double(), fc.uint8Array({ maxLength: 40 }), (proof, index, size, root) => {
        expect(verifyInclusion(proof, index, size, leafHash(Buffer.of(1)), root)).toBe(false);
        expect(typeof verifyConsistency(proof, index, size, root, root)).toBe('boolean');
      }),
      { numRuns: propertyRuns },
    );
  });
});

describe('a consistency proof', () => {
  test('equals the one of golang.org/x/mod/sumdb/tlog and verifies between its roots', () => {
    for (const { size, of, proof } of sumdb.consistency) {
      expect(consistencyProof(of, size, subtreesOfLeaves(ALL)).map((h) => h.toString('base64'))).toEqual(proof);
      expect(verifyConsistency(proof.map(hash), of, size, rootAt(of), rootAt(size))).toBe(true);
    }
  });

  test('is refused with any one thing changed', () => {
    for (const { size, of, proof } of sumdb.consistency.filter(({ size, of }) => of < size)) {
      const path = proof.map(hash);
      for (let i = 0; i < path.length; i++) expect(verifyConsistency(path.map((h, j) => (i === j ? flip(h) : h)), of, size, rootAt(of), rootAt(size))).toBe(false);
      expect(verifyConsistency(path, of, size, flip(rootAt(of)), rootAt(size))).toBe(false);
      expect(verifyConsistency(path, of, size, rootAt(of), flip(rootAt(size)))).toBe(false);
      expect(verifyConsistency(path.slice(1), of, size, rootAt(of), rootAt(size))).toBe(false);
      expect(verifyConsistency(path, size + 1, size, rootAt(of), rootAt(size))).toBe(false);
    }
  });

  test('from the empty tree is empty and holds for its root only', () => {
    expect(verifyConsistency([], 0, 5, EMPTY_ROOT, rootAt(5))).toBe(true);
    expect(verifyConsistency([], 0, 5, rootAt(1), rootAt(5))).toBe(false);
  });
});

describe('bundle encoding', () => {
  test('returns every entry, the empty one and the longest included', () => {
    const entries = [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(65_535, 3)];
    expect(decodeEntries(encodeEntries(entries))).toEqual(entries);
  });

  test('refuses an entry that its length prefix cannot state', () => {
    expect(() => encodeEntries([Buffer.alloc(65_536)])).toThrow(expect.objectContaining({ code: 'entry-too-long' }));
  });

  test('of any bytes is read as entries that encode to the same bytes, or refused as truncated', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const input = Buffer.from(bytes);
        try {
          expect(encodeEntries(decodeEntries(input))).toEqual(input);
        } catch (error) {
          expect(error).toMatchObject({ name: 'LogFormatError', code: 'bundle-truncated' });
        }
      }),
      { numRuns: propertyRuns },
    );
  });

  test('has at most as many entries as a segment, found before anything is made of them', () => {
    const most = encodeEntries(Array.from({ length: 65_536 }, () => Buffer.alloc(0)));
    expect(decodeEntries(most)).toHaveLength(65_536);
    expect(() => decodeEntries(Buffer.concat([most, Buffer.alloc(2)]))).toThrow(expect.objectContaining({ code: 'bundle-too-many' }));
  });

  test('cut off anywhere but between entries is refused', () => {
    const bytes = encodeEntries([Buffer.from('abc'), Buffer.from('defg')]);
    for (let end = 1; end < bytes.length; end++) {
      if (end === 5) continue;
      expect(() => decodeEntries(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: 'bundle-truncated' }));
    }
  });
});
