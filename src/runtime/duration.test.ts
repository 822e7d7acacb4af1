import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['2h', 7_200_000],
    ['1h2m3s4ms', 3_723_004],
    ['1m500ms', 60_500],
    ['90m', 5_400_000],
    ['0s', 0],
    ['0', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ['', 'nothing'],
    ['10', 'a number without a unit'],
    ['s', 'a unit without a number'],
    ['-5s', 'a sign'],
    ['1.5h', 'a fraction'],
    ['1d', 'an unknown unit'],
    ['5us', 'a unit below a millisecond'],
    ['30s1m', 'units out of order'],
    ['1s1s', 'a unit twice'],
    [' 1s', 'a leading space'],
    ['1s\n', 'a trailing line break'],
    ['1 s', 'a space inside'],
    ['1S', 'a unit in upper case'],
    ['٣s', 'digits of another script'],
    ['99999999999999999h', 'more than a number can hold'],
  ])('refuses %j: %s', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });

  it('reads back exactly what it writes', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('adds up whole numbers of units in falling order', () => {
    const count = fc.option(fc.nat(10_000), { nil: undefined });
    fc.assert(
      fc.property(count, count, count, count, (h, m, s, ms) => {
        const parts = [['h', h] as const, ['m', m] as const, ['s', s] as const, ['ms', ms] as const];
        const text = parts.map(([unit, n]) => (n === undefined ? '' : `${n}${unit}`)).join('');
        fc.pre(text !== '');
        expect(parseDuration(text)).toBe((h ?? 0) * 3_600_000 + (m ?? 0) * 60_000 + (s ?? 0) * 1_000 + (ms ?? 0));
      }),
    );
  });

  it('refuses a valid text with one junk character anywhere in it', () => {
    const valid = fc.nat(1_000_000_000).map(formatDuration);
    const junk = fc.constantFrom('.', '-', '+', ' ', '\n', 'd', 'u', 'e', '_', ',', '\u00b5', '\u0663');
    fc.assert(
      fc.property(valid, junk, fc.nat(), (text, character, place) => {
        const at = place % (text.length + 1);
        expect(() => parseDuration(text.slice(0, at) + character + text.slice(at))).toThrow(RangeError);
      }),
    );
  });

  it.each([
    [0, '0s'],
    [90_000, '1m30s'],
    [3_600_001, '1h1ms'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to write %d ms', (ms) => {
    expect(() => formatDuration(ms)).toThrow(RangeError);
  });
});
