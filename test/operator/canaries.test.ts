import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findCanaries } from './canaries.ts';

const canary = 'Xq7/Lm2?Zr9+Tk4 Wb8"Np3';
const sha256 = createHash('sha256').update(canary);

const leaks: readonly (readonly [how: string, text: string])[] = [
  ['as it is', `password: ${canary}`],
  ['in JSON', JSON.stringify({ message: `refused ${canary}` })],
  ['in base64', Buffer.from(canary).toString('base64')],
  ['in base64 behind one byte of something else', Buffer.from(`a${canary}`).toString('base64')],
  ['in base64 behind two bytes of something else', Buffer.from(`ab${canary}`).toString('base64')],
  ['in base64 for URLs', Buffer.from(`???${canary}`).toString('base64url')],
  ['in hex', Buffer.from(canary).toString('hex')],
  ['in upper-case hex', Buffer.from(canary).toString('hex').toUpperCase()],
  ['percent-encoded', encodeURIComponent(canary)],
  ['as a digest in hex', sha256.copy().digest('hex')],
  ['as the beginning of a digest', sha256.copy().digest('hex').slice(0, 16)],
  ['as a digest in base64', sha256.copy().digest('base64')],
  ['by its first eight bytes', `begins with ${canary.slice(0, 8)}...`],
  ['by eight bytes of its middle', `...${canary.slice(7, 15)}...`],
  ['by its last eight bytes', canary.slice(-8)],
  ['in UTF-16', Buffer.from(canary, 'utf16le').toString('latin1')],
  ['in UTF-16 with the other order of bytes', Buffer.from(canary, 'utf16le').swap16().toString('latin1')],
  ['in base64 of UTF-16', Buffer.from(`a${canary}`, 'utf16le').toString('base64')],
  ['by eight bytes in hex', Buffer.from(canary.slice(3, 11)).toString('hex')],
];

describe('the search for values in what was written', () => {
  it.each(leaks)('finds a value %s', (_how, text) => {
    expect(findCanaries([canary], [{ where: 'the log', text }])).not.toEqual([]);
  });

  it('says where and which, but not the value', () => {
    const finds = findCanaries(['another-value-entirely', canary], [{ where: 'the log', text: `x ${canary}` }]);

    expect(finds).toEqual(['the log has canary 1, as it is']);
  });

  it('finds nothing in other texts, nor in seven bytes', () => {
    const text = `Secret db holds db.password@3 ${canary.slice(0, 7)} ${createHash('sha256').update('x').digest('hex')}`;

    expect(findCanaries([canary], [{ where: 'the log', text }])).toEqual([]);
  });

  it('refuses a canary that may be found by chance', () => {
    expect(() => findCanaries(['short'], [])).toThrow('canary 0 has fewer than 8 bytes');
  });
});
