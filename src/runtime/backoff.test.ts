import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff } from './backoff.ts';

const highest = (): number => 1 - Number.EPSILON;

describe('backoff', () => {
  it('doubles with every failure up to the cap', () => {
    const options = { base: 5, cap: 60, random: highest };
    const waits = [1, 2, 3, 4, 5, 6].map((tries) => Math.round(backoff(options, tries)));
    expect(waits).toEqual([5, 10, 20, 40, 60, 60]);
  });

  it('leaves the upper half of the wait to chance', () => {
    expect(backoff({ base: 100, cap: 1_000, random: () => 0 }, 2)).toBe(100);
    expect(backoff({ base: 100, cap: 1_000, random: () => 0.5 }, 2)).toBe(150);
  });

  it('is between half the base and the cap for any number of tries', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (tries, chance) => {
        const wait = backoff({ base: 5, cap: 60_000, random: () => chance }, tries);
        expect(wait).toBeGreaterThanOrEqual(2.5);
        expect(wait).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
