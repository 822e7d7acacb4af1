import { describe, expect, it } from 'vitest';
import { parseAge } from './age.ts';

const day = 86_400_000;

describe('an age', () => {
  it.each([
    ['90d', 90 * day],
    ['12h', day / 2],
    ['30m', 1_800_000],
    ['60s', 60_000],
    ['99999d', 99_999 * day],
  ])('%s is read', (text, ms) => expect(parseAge(text)).toBe(ms));

  it.each(['', '0d', '90', '1w', '-1d', '1.5d', 'd', '1d2h', '100000d'])('%s is none', (text) =>
    expect(parseAge(text)).toBeUndefined(),
  );
});
