import { describe, expect, it } from 'vitest';
import { contentOfMarker, markerName, markerValue } from './marker.ts';

describe('the name of a marker', () => {
  it('has the name of the target', () => {
    expect(markerName({ name: 'api-db' })).toBe('keyferry.io/content.api-db');
  });

  it('has a name of 54 characters whole, and of longer ones 45 and eight digits of a hash', () => {
    const [whole, longer] = ['a'.repeat(54), 'a'.repeat(55)];
    expect(markerName({ name: whole })).toBe(`keyferry.io/content.${whole}`);
    expect(markerName({ name: longer })).toMatch(/^keyferry\.io\/content\.a{45}-[0-9a-f]{8}$/u);
  });

  it('differs for long names that begin alike', () => {
    const names = ['x', 'y'].map((end) => markerName({ name: `${'a'.repeat(80)}${end}` }));
    expect(new Set(names).size).toBe(2);
  });

  it('is never longer than the name of an annotation may be', () => {
    for (const length of [1, 45, 46, 54, 55, 253]) {
      const name = markerName({ name: 'a'.repeat(length), mergedBy: 'uid-1' });
      expect(name.slice('keyferry.io/'.length).length).toBeLessThanOrEqual(63);
    }
  });

  it('in a Secret that references share, differs for each of them', () => {
    const [one, other] = ['uid-1', 'uid-2'].map((mergedBy) => markerName({ name: 'shared', mergedBy }));
    expect(one).toMatch(/^keyferry\.io\/content\.shared\.[0-9a-f]{8}$/u);
    expect(other).not.toBe(one);
  });
});

describe('the value of a marker', () => {
  it.each([
    ['1:aaaa', undefined],
    ['1:aaaa', '1:bbbb'],
    ['1:aaaa', '1:aaaa+'],
    ['1:aaaa+', '1:aaaa'],
  ])('is %s over %s, so that it always changes the template', (expected, present) => {
    const value = markerValue('1:aaaa', present);
    expect(value).toBe(expected);
    expect(contentOfMarker(value)).toBe('1:aaaa');
  });
});
