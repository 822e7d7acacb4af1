import { describe, expect, it } from 'vitest';
import { alphabetOf, generateValue, lengthOf } from './generate.ts';

describe('a value that is generated', () => {
  it('has its length, and the characters of its alphabet only', () => {
    for (const name of ['alphanumeric', 'hex', 'digits', 'url', 'symbols']) {
      const alphabet = alphabetOf(name);
      const text = generateValue(500, alphabet).asString();
      expect(text).toHaveLength(500);
      expect(Array.from(text).filter((character) => !alphabet.includes(character))).toEqual([]);
    }
  });

  it('has each character about as often as any other', () => {
    // 62 does not divide 256: by remainders of bytes, the first eight would come a quarter more often.
    const alphabet = alphabetOf('alphanumeric');
    const counts = new Map<string, number>();
    for (let round = 0; round < 50; round += 1) {
      for (const character of generateValue(4096, alphabet).asString()) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    const expected = (50 * 4096) / alphabet.length;
    const deviations = Array.from(alphabet, (character) => ((counts.get(character) ?? 0) - expected) ** 2 / expected);
    // Chi-square with 61 degrees of freedom: beyond 150 once in some hundred million runs. Remainders give thousands.
    expect(deviations.reduce((sum, deviation) => sum + deviation, 0)).toBeLessThan(150);
  });

  it('is another one each time', () => {
    const values = Array.from({ length: 100 }, () => generateValue(32, alphabetOf('hex')).asString());
    expect(new Set(values).size).toBe(100);
  });
});

describe('an alphabet', () => {
  it('may be the characters themselves, each once', () => {
    expect(alphabetOf('aabbc!')).toBe('abc!');
  });

  it.each(['', 'a', 'aa', 'äö', 'a\u0007'])('is not %j', (text) => {
    expect(() => alphabetOf(text)).toThrow('--alphabet takes');
  });
});

it.each(['7', '0', '-8', '4097', '3e2', '8.5', ''])('a length is not %j', (text) => {
  expect(() => lengthOf(text)).toThrow('--length takes a number from 8 to 4096');
});
