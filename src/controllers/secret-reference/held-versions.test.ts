import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../managers/secret-value.ts';
import { heldVersions, listOf, shortVersion, summaryOf } from './held-versions.ts';
import type { ResolvedKey } from './resolution.ts';

function key(name: string, secret: string, version = '3', listable = true): ResolvedKey {
  const origin = { manager: 'm', secret, requested: 'latest', version, identity: `${version}@x` };
  return { key: name, value: SecretValue.fromString('x'), origin, listable };
}

describe('the versions that a target holds', () => {
  it('are one entry per secret and selector with all its keys', () => {
    expect(heldVersions([key('a', 's'), key('b', 's')], [], 't')).toMatchObject([
      { secret: 's', keys: ['a', 'b'], since: 't' },
    ]);
  });

  it('keep since when they were held', () => {
    const before = heldVersions([key('a', 's')], [], 't0');
    expect(heldVersions([key('a', 's')], before, 't1')[0]?.since).toBe('t0');
    expect(heldVersions([key('a', 's', '4')], before, 't1')[0]?.since).toBe('t1');
  });

  it('do not tell key names that stand inside a value', () => {
    expect(heldVersions([key('hidden', 's', '3', false)], [], 't')[0]?.keys).toEqual([]);
  });

  it('have a summary with the first and the number of the others', () => {
    expect(summaryOf([])).toBe('-');
    expect(summaryOf(heldVersions([key('a', 's'), key('b', 'r')], [], 't'))).toBe('s@3 (+1)');
  });

  it('have a list of as many as there is room for', () => {
    const many = Array.from({ length: 40 }, (_, index) => key(`k${index}`, `secret-${index}`));
    const list = listOf(heldVersions(many, [], 't'));

    expect(listOf([])).toBe('-');
    expect(listOf(heldVersions([key('a', 's'), key('b', 'r')], [], 't'))).toBe('s@3, r@3');
    expect(list).toMatch(/^secret-0@3, secret-1@3, .* \(\+\d+\)$/);
    expect(list.split(', ').length + Number(/\+(\d+)/.exec(list)?.[1])).toBe(40);
    expect(list.length).toBeLessThan(220);
  });

  it('show long ids by their beginning', () => {
    expect(shortVersion('7f1c2d3e-aaaa-bbbb-cccc-1234567890ab')).toBe('7f1c2d3e');
  });
});
