import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRanges, inRanges, parseRanges, withNumbers } from './number-ranges.ts';

const after = (text: string, ...numbers: readonly number[]): string =>
  formatRanges(withNumbers(parseRanges(text), numbers));

describe('numbers that are gone', () => {
  it.each([
    ['the first one stands alone', '', [3], '3'],
    ['neighbours grow together', '1-2', [3], '1-3'],
    ['a gap between two is closed', '1-2,4', [3], '1-4'],
    ['what is below stands before', '7', [2], '2,7'],
    ['what is there already changes nothing', '1-4,7', [2, 7], '1-4,7'],
    ['several come at once, in any order', '', [9, 1, 2, 8], '1-2,8-9'],
    ['none changes nothing', '1-4,7', [], '1-4,7'],
  ])('%s', (_what, before, numbers, expected) => {
    expect(after(before, ...numbers)).toBe(expected);
  });

  it('are read from what was written of them, and nothing else is', () => {
    expect(parseRanges('1-4,7')).toEqual([
      { from: 1, to: 4 },
      { from: 7, to: 7 },
    ]);
    expect(parseRanges(undefined)).toEqual([]);
    expect(parseRanges('x,-1,2-,3')).toEqual([{ from: 3, to: 3 }]);
  });

  it('are told from those that are not', () => {
    const ranges = parseRanges('2-4,7');
    expect([1, 2, 3, 4, 5, 6, 7, 8].filter((number) => inRanges(ranges, number))).toEqual([2, 3, 4, 7]);
  });

  it('never come back, whatever is added in whatever order, and stay few', () => {
    assert(
      property(array(array(integer({ min: 1, max: 5_000 }), { maxLength: 40 }), { maxLength: 40 }), (all) => {
        const ranges = all.reduce(
          (known, numbers) => parseRanges(formatRanges(withNumbers(known, numbers))),
          parseRanges(''),
        );
        expect(all.flat().filter((number) => !inRanges(ranges, number))).toEqual([]);
        expect(ranges.length).toBeLessThanOrEqual(200);
        const highest = Math.max(0, ...all.flat());
        expect(inRanges(ranges, highest + 1)).toBe(false);
      }),
    );
  });

  it('that are too scattered grow together at the low end only', () => {
    const scattered = Array.from({ length: 300 }, (_none, index) => 2 * index + 1);
    const ranges = withNumbers([], scattered);
    expect(ranges).toHaveLength(200);
    expect(ranges[0]).toEqual({ from: 1, to: 201 });
    expect(ranges.at(-1)).toEqual({ from: 599, to: 599 });
  });
});
