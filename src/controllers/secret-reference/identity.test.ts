import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../managers/secret-value.ts';
import { buildReference } from '../testing/builders.ts';
import { contentName } from './identity.ts';
import type { ResolvedKey } from './resolution.ts';

function key(name: string, identity: string, value = 'x'): ResolvedKey {
  const origin = { manager: 'm', secret: 'db.password', requested: 'latest', version: 'v', identity };
  return { key: name, value: SecretValue.fromString(value), origin, listable: true };
}

const { spec } = buildReference();

describe('the name of a content', () => {
  it('follows the identity of a version', () => {
    expect(contentName(spec, [key('a', '1@x')])).not.toBe(contentName(spec, [key('a', '2@x')]));
  });

  it('follows the recipe', () => {
    const other = buildReference({ spec: { template: { data: { url: 'x' } } } }).spec;
    expect(contentName(spec, [key('a', '1@x')])).not.toBe(contentName(other, [key('a', '1@x')]));
  });

  it('does not depend on a value', () => {
    expect(contentName(spec, [key('a', '1@x', 'one')])).toBe(contentName(spec, [key('a', '1@x', 'two')]));
  });

  it('does not depend on the order of keys', () => {
    expect(contentName(spec, [key('a', '1@x'), key('b', '1@x')])).toBe(
      contentName(spec, [key('b', '1@x'), key('a', '1@x')]),
    );
  });

  it('does not depend on what is no recipe, such as suspend', () => {
    const suspended = buildReference({ spec: { suspend: true } }).spec;
    expect(contentName(spec, [key('a', '1@x')])).toBe(contentName(suspended, [key('a', '1@x')]));
  });
});
