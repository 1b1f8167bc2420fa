/** The record MAC: its exact value, and that no change of content, place or key goes unnoticed. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { Image } from '../../src/core/image';
import { checkMac, macOf, withMac, type MacKey } from '../../src/core/record-mac';
import { anyImage } from './any-image';

const key: MacKey = { id: 1, secret: Buffer.alloc(32, 7) };
const other: MacKey = { id: 2, secret: Buffer.alloc(32, 8) };
const image: Image = { pk: { S: 'm#x' }, sk: { S: '1#message' }, kind: { S: 'message' }, rev: { N: '1' }, text: { S: 'hi' } };

describe('the record MAC', () => {
  test('is HMAC-SHA256 over the place, a line feed and the image without its mac', () => {
    const message = '["intact/mac/v1","records","m#x","1#message","message",1,1]\n{"kind":{"S":"message"},"pk":{"S":"m#x"},"rev":{"N":"1"},"sk":{"S":"1#message"},"text":{"S":"hi"}}';
    expect(macOf(key, image)).toBe(`1.${createHmac('sha256', Buffer.alloc(32, 7)).update(message).digest('base64url')}`);
  });

  test('holds for what was written and for no image that differs in any attribute', () => {
    const good = withMac(key, image);
    expect(checkMac([other, key], good)).toBe('valid');
    for (const name of ['pk', 'sk', 'kind', 'text'] as const) expect(checkMac([key], { ...good, [name]: { S: 'other' } })).toBe('invalid');
    expect(checkMac([key], { ...good, rev: { N: '2' } })).toBe('invalid');
    expect(checkMac([key], { ...good, extra: { NULL: true } })).toBe('invalid');
    const { text: _, ...shorter } = good;
    expect(checkMac([key], shorter)).toBe('invalid');
  });

  test('tells missing, unknown and malformed apart', () => {
    expect(checkMac([key], image)).toBe('missing');
    expect(checkMac([key], { ...image, mac: { B: Buffer.alloc(32) } })).toBe('missing');
    expect(checkMac([other], withMac(key, image))).toBe('unknown-key');
    expect(checkMac([key], { ...image, mac: { S: 'x' } })).toBe('invalid');
    const good = (withMac(key, image)['mac'] as { S: string }).S;
    expect(checkMac([key], { ...image, mac: { S: `0${good}` } })).toBe('invalid');
    expect(checkMac([{ ...key, id: 3 }], { ...image, mac: { S: good.replace('1.', '3.') } })).toBe('invalid');
  });

  test('accepts one spelling only: the spare bits of the last character are zero', () => {
    const good = withMac(key, image);
    const mac = (good['mac'] as { S: string }).S;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(mac.slice(-1));
    expect(checkMac([key], { ...good, mac: { S: mac.slice(0, -1) + alphabet.charAt(last + 1) } })).toBe('invalid');
  });

  test('judges any image without throwing, and accepts its own', () => {
    fc.assert(
      fc.property(anyImage, (any) => {
        expect(checkMac([key], withMac(key, any))).toBe('valid');
        expect(['invalid', 'missing', 'unknown-key']).toContain(checkMac([key], any));
      }),
      { numRuns: 200, verbose: 1 },
    );
    expect(checkMac([key], { pk: { S: '\ud800' }, mac: { S: macOf(key, image) } })).toBe('invalid');
  });
});
