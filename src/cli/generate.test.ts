import { describe, expect, it } from 'vitest';
import { alphabetOf, checkStrength, generateValue, lengthOf } from './generate.ts';

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
    expect(alphabetOf('chars:aabbc!')).toBe('abc!');
  });

  it.each(['chars:', 'chars:a', 'chars:aa', 'chars:äö', 'chars:a\u0007'])('is not %j', (text) => {
    expect(() => alphabetOf(text)).toThrow('at least two different characters of ASCII');
  });

  it.each(['symbol', 'alphanumerc', 'numeric', 'base64', 'foo', 'abc123', ''])(
    'is not made of the letters of %j, which is no name of one',
    (text) => {
      expect(() => alphabetOf(text)).toThrow(
        '--alphabet takes alphanumeric, hex, digits, url, symbols, or the characters themselves as chars:abc123',
      );
    },
  );

  it('of a name that is a slip is told the name that was meant', () => {
    expect(() => alphabetOf('symbol')).toThrow('Did you mean symbols?');
    expect(() => alphabetOf('alphanumerc')).toThrow('Did you mean alphanumeric?');
    expect(() => alphabetOf('base64')).not.toThrow('Did you mean');
  });
});

describe('the strength of a value', () => {
  it.each([
    ['alphanumeric', 10, 11],
    ['hex', 15, 16],
    ['digits', 19, 20],
    ['chars:ab', 63, 64],
  ])('of %s is too little with %i characters, and enough with %i', (name, short, enough) => {
    const alphabet = alphabetOf(name);
    expect(() => checkStrength(short, alphabet)).toThrow(`Take --length ${enough} or more`);
    expect(() => checkStrength(enough, alphabet)).not.toThrow();
  });
});

it.each(['7', '0', '-8', '4097', '3e2', '8.5', ''])('a length is not %j', (text) => {
  expect(() => lengthOf(text)).toThrow('--length takes a number from 8 to 4096');
});
