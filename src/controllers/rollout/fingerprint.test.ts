import { describe, expect, it } from 'vitest';
import { buildWorkload } from '../testing/builders.ts';
import { fingerprint } from './fingerprint.ts';

const own = 'keyferry.io/content.api-db';
const other = 'keyferry.io/content.other';
const withMarkers = (...markers: readonly (readonly [string, string])[]) =>
  buildWorkload({ markers: new Map(markers.map(([name, value]) => [name, { value, ours: true }])) });

describe('the fingerprint of a pod template', () => {
  const before = fingerprint(withMarkers([own, '1:aaaa'], [other, '1:cccc']), own);

  it('is eight digits that do not depend on the marker of the target', () => {
    expect(before).toMatch(/^[0-9a-f]{8}$/u);
    expect(fingerprint(withMarkers([other, '1:cccc'], [own, '1:bbbb']), own)).toBe(before);
    expect(fingerprint(withMarkers([other, '1:cccc']), own)).toBe(before);
  });

  it.each([
    ['the marker of another target', withMarkers([own, '1:aaaa'], [other, '1:dddd'])],
    ['a marker of another target that is gone', withMarkers([own, '1:aaaa'])],
    ['what its owners wrote', { ...withMarkers([own, '1:aaaa'], [other, '1:cccc']), template: 'uuuuuuuu' }],
  ])('changes with %s', (_what, after) => {
    expect(fingerprint(after, own)).not.toBe(before);
  });
});
