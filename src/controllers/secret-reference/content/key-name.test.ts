import { describe, expect, test } from 'vitest';
import { isSecretKey, keyName } from './key-name.ts';
import { CANARY, leaks, refusal } from './testing.ts';

describe('keyName', () => {
  test.each([
    ['db.password', 'db.password'],
    ['app/feature-db.password', 'feature-db.password'],
    ['other_name-1', 'other_name-1'],
  ])('AsIs keeps %s without its prefix: %s', (name, expected) => {
    expect(keyName({ style: 'AsIs', stripPrefix: 'app/' }, name)).toBe(expected);
  });

  test('AsIs strips the prefix once, and says what helps against a slash', () => {
    const error = refusal(() => keyName({ style: 'AsIs', stripPrefix: 'app/' }, 'app/app/x'));
    expect(error.message).toContain('use keys.style: EnvVar or keys.stripPrefix');
  });

  test.each([
    ['app/feature-db.password', 'FEATURE_DB_PASSWORD'],
    ['app/3rd party', '_3RD_PARTY'],
    ['dbPassword', 'DBPASSWORD'],
    ['app/app/x', 'APP_X'],
    ['grüße🙂', 'GR__E_'],
    ['a--b', 'A__B'],
  ])('EnvVar makes %s to %s', (name, expected) => {
    expect(keyName({ style: 'EnvVar', stripPrefix: 'app/' }, name)).toBe(expected);
  });

  test.each([
    ['', 'nothing is left'],
    ['app/', 'nothing is left'],
    ['a/b', "can't be a key"],
    ['a b', "can't be a key"],
    ['a\n', "can't be a key"],
    ['ä', "can't be a key"],
    ['.', "can't be a key"],
    ['..', "can't be a key"],
    ['..data', "can't be a key"],
    ['a'.repeat(254), "can't be a key"],
  ])('AsIs refuses %j', (name, message) => {
    const error = refusal(() => keyName({ style: 'AsIs', stripPrefix: 'app/' }, name));
    expect(error.reason).toBe('InvalidValue');
    expect(error.message).toContain(message);
  });

  test('EnvVar refuses what is too long', () => {
    expect(keyName({ style: 'EnvVar' }, 'a'.repeat(253))).toHaveLength(253);
    expect(refusal(() => keyName({ style: 'EnvVar' }, 'a'.repeat(254))).message).toContain('longer than 253');
  });

  test('security rule 16: a refusal does not tell the name, which may stand inside a value', () => {
    expect(leaks(refusal(() => keyName({ style: 'AsIs' }, `${CANARY}/x`)))).toBe(false);
    expect(leaks(refusal(() => keyName({ style: 'EnvVar', stripPrefix: CANARY }, CANARY)))).toBe(false);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('security rule 17: %s is no key', (name) => {
    expect(isSecretKey(name)).toBe(false);
    expect(refusal(() => keyName({ style: 'AsIs' }, name)).reason).toBe('InvalidValue');
  });
});
