/**
 * docs/format.md says what the code does: its example is re-computed, its lists are those of the code. After a change on purpose:
 * `INTACT_UPDATE=1 npx jest test/docs` writes the generated parts anew.
 */
import { createCipheriv, createHash, createHmac, createPrivateKey, hkdfSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VIOLATIONS } from '../../src/core/change-judgement';
import { FINDING_CODES } from '../../src/core/verify/finding-codes';
import { naiveLeaf, naiveRoot } from '../naive-log';
import { EXAMPLE, exampleBlock, exampleLines } from './format-example';

const path = join(__dirname, '../../docs/format.md');
const codesBlock = (): string => Object.entries(FINDING_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`).join('\n');

/** The document with both generated parts as they should be. */
async function expected(document: string): Promise<string> {
  const [beforeCodes, rest] = document.split('<!-- finding codes -->') as [string, string];
  const afterCodes = rest.slice(rest.indexOf('\n\n'));
  const beforeExample = afterCodes.split('<!-- example -->')[0] as string;
  return `${beforeCodes}<!-- finding codes -->\n${codesBlock()}${beforeExample}<!-- example -->\n\`\`\`\n${await exampleBlock()}\`\`\`\n`;
}

describe('docs/format.md', () => {
  test('shows the example that the code makes, and every finding code of verification with its meaning', async () => {
    const wanted = await expected(readFileSync(path, 'utf8'));
    if (process.env['INTACT_UPDATE']) writeFileSync(path, wanted);
    expect(readFileSync(path, 'utf8')).toBe(wanted);
  });

  test('explains every finding of the sealer, and no other', () => {
    const section = readFileSync(path, 'utf8').split('## Findings among the records')[1]?.split('## Worked example')[0] ?? '';
    expect([...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]).sort()).toEqual([...VIOLATIONS].sort());
  });
});

describe('the worked example', () => {
  test('is what its text says, re-computed with node:crypto alone', async () => {
    const lines = new Map(await exampleLines());
    const line = (name: string): string => lines.get(name) as string;
    const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
    const of = (byte: number, n: number): Buffer => Buffer.alloc(n, byte);
    const gcm = (key: Buffer, aad: Buffer, plaintext: Buffer): { readonly ciphertext: Buffer; readonly tag: Buffer } => {
      const cipher = createCipheriv('aes-256-gcm', key, of(0xb1, 12)).setAAD(aad);
      return { ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final()]), tag: cipher.getAuthTag() };
    };

    const record = JSON.parse(line('record, canonical')) as Record<string, Record<string, string>>;
    const { mac, ...withoutMac } = record;
    const place = JSON.stringify(['intact/mac/v1', 'records', record['pk']?.['S'], record['sk']?.['S'], 'message', 1, 1]);
    expect(mac).toEqual({ S: `1.${createHmac('sha256', of(0xc3, 32)).update(`${place}\n${JSON.stringify(withoutMac)}`).digest('base64url')}` });

    const aad = Buffer.concat([Buffer.from(EXAMPLE.subject), Buffer.from([0, 0, 0, 1])]);
    const wrapped = gcm(of(0xd4, 32), aad, of(0xe5, 32));
    expect(line('wrapped key (hex)')).toBe(Buffer.concat([of(0xb1, 12), wrapped.ciphertext, wrapped.tag]).toString('hex'));

    const idKey = Buffer.from(hkdfSync('sha256', of(0xe5, 32), '', 'id', 32));
    const id = createHmac('sha256', idKey).update(JSON.stringify(['records', record['pk']?.['S'], record['sk']?.['S']])).digest('base64url');
    const plaintext = Buffer.concat([of(0xa2, 32), Buffer.from(line('record, canonical'))]);
    const header = Buffer.from('{"alg":"dir","enc":"A256GCM","kid":"1"}').toString('base64url');
    const { ciphertext, tag } = gcm(of(0xe5, 32), Buffer.from(header), plaintext);
    const image = [header, '', of(0xb1, 12).toString('base64url'), ciphertext.toString('base64url'), tag.toString('base64url')].join('.');
    const commit = sha256(Buffer.from('intact/v1'), plaintext).toString('base64url');
    const { at, src } = EXAMPLE.put;
    expect(line('commit')).toBe(commit);
    expect(line('entry 0')).toBe(JSON.stringify({ at, commit, id, image, kind: 'message', op: 'put', rev: 1, src, subject: EXAMPLE.subject, v: 1 }));
    const removed = EXAMPLE.remove;
    expect(line('entry 1')).toBe(JSON.stringify({ at: removed.at, id, kind: 'message', op: 'remove', rev: 1, src: removed.src, subject: EXAMPLE.subject, v: 1 }));

    const entries = [line('entry 0'), line('entry 1')].map((text) => Buffer.from(text));
    const segment = Buffer.concat(entries.flatMap((entry) => [Buffer.from([entry.length >> 8, entry.length & 255]), entry]));
    expect(line('segment (name)')).toBe(`segment/00000000000000000000/${sha256(segment).toString('hex')}`);
    expect(line('leaf 0 (hex)')).toBe(naiveLeaf(entries[0] as Buffer).toString('hex'));
    const root = naiveRoot(entries);
    expect(line('root (hex)')).toBe(root.toString('hex'));
    expect(line('log objects')).toBe(`tile/entries/000.p/2 (${segment.length} bytes), tile/0/000.p/2 (64 bytes)`);

    const [, keyId, material] = /\+([0-9a-f]{8})\+(.+)$/.exec(line('vkey')) as unknown as [string, string, string];
    const publicKey = Buffer.from(material, 'base64');
    expect(keyId).toBe(sha256(Buffer.from(`${EXAMPLE.origin}\n`), publicKey).subarray(0, 4).toString('hex'));
    const text = `${EXAMPLE.origin}\n2\n${root.toString('base64')}\n`;
    const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), of(0xf6, 32)]), format: 'der', type: 'pkcs8' });
    const signature = Buffer.concat([Buffer.from(keyId, 'hex'), sign(null, Buffer.from(text), privateKey)]).toString('base64');
    expect(line('checkpoint')).toBe(`${text}\n— ${EXAMPLE.origin} ${signature}\n`);
  });
});
