import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretValue } from './secret-value.ts';

const canary = 'canary-8c1f-value';

describe('a secret value', () => {
  it('gives its bytes as text, as bytes and as base64', () => {
    const value = SecretValue.fromString('pässwörd');
    expect([value.asString(), value.asBase64(), value.size]).toEqual(['pässwörd', 'cMOkc3N3w7ZyZA==', 10]);
    expect(Buffer.from(value.asBytes()).toString()).toBe('pässwörd');
  });

  it.each([
    ['String', String],
    ['a template', (value: SecretValue) => `it is ${String(value)}`],
    ['joining', (value: unknown) => ['', value].join('-')],
    ['adding to a string', (value: SecretValue) => 'a'.concat(String(value))],
    ['JSON', (value: unknown) => JSON.stringify({ value })],
    ['inspect', (value: unknown) => inspect({ value }, { depth: 9, showHidden: true, getters: true })],
    ['format', (value: unknown) => format('%s %o %O %j', value, value, value, value)],
    ['entries', (value: object) => JSON.stringify(Object.entries(value))],
    ['a copy', (value: object) => JSON.stringify({ ...value })],
    ['a structured clone', (value: object) => inspect(structuredClone({ ...value }))],
    ['an error', (value: unknown) => inspect(new Error('x', { cause: value }))],
  ] as const)('does not show itself by %s', (_, show) => {
    const shown = show(SecretValue.fromString(canary));
    expect(shown).not.toContain(canary);
    expect(shown).not.toContain(Buffer.from(canary).toString('base64'));
    expect(shown).not.toContain('99, 97, 110');
  });

  it('says [redacted] where a text is wanted', () => {
    const value = SecretValue.fromString(canary);
    expect([String(value), JSON.stringify(value), inspect(value)]).toEqual([
      '[redacted]',
      '"[redacted]"',
      '[redacted]',
    ]);
  });

  it('keeps its bytes, whatever happens to those that were given or taken', () => {
    const given = new TextEncoder().encode('abc');
    const value = SecretValue.fromBytes(given);
    given.fill(0);
    value.asBytes().fill(0);
    expect(value.asString()).toBe('abc');
  });

  it('refuses to be text when it is not, without telling its bytes', () => {
    const value = SecretValue.fromBytes(Uint8Array.from([0x63, 0x61, 0x6e, 0xff]));
    expect(() => value.asString()).toThrow(new TypeError('the secret value is not valid UTF-8 text'));
  });

  it('keeps a byte order mark', () => {
    expect(SecretValue.fromBytes(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])).asString()).toBe('\uFEFFa');
  });

  it('equals another of the same bytes only', () => {
    const value = SecretValue.fromString('abc');
    const others = ['abc', 'abd', 'ab', ''].map((text) => value.equals(SecretValue.fromString(text)));
    expect(others).toEqual([true, false, false, false]);
  });
});
