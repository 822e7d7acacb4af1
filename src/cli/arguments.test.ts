import { describe, expect, it } from 'vitest';
import {
  ageArgument,
  anyNameArgument,
  labelArgument,
  nameArgument,
  rotateAfterArgument,
  versionArgument,
} from './arguments.ts';

describe('an age', () => {
  it.each([
    ['90d', 90 * 86_400_000],
    ['12h', 12 * 3_600_000],
    ['1s', 1000],
  ])('of %s is %i ms', (text, ms) => {
    expect(ageArgument(text)).toBe(ms);
  });

  it.each(['', '90', '0d', '-1d', '1w', '1.5d', '1d2h', '100000d'])('is not %j', (text) => {
    expect(() => ageArgument(text)).toThrow('for example 90d');
  });
});

it('an age of a spec stays as it was typed, and empty takes it away', () => {
  expect(rotateAfterArgument('90d')).toBe('90d');
  expect(rotateAfterArgument('')).toBe('');
  expect(() => rotateAfterArgument('90')).toThrow('for example 90d');
});

it.each(['', '0', '01', '-1', '1.0', '1e3', 'latest', '9999999999'])('a version is not %j', (text) => {
  expect(() => versionArgument(text)).toThrow('number of a version');
});

it('labels are gathered, and taken away by a dash', () => {
  const [one, two, three] = ['team=shop', 'url=a=b', 'old-'].map((text) => text);
  const gathered = labelArgument(three ?? '', labelArgument(two ?? '', labelArgument(one ?? '')));
  expect(gathered).toEqual({ team: 'shop', url: 'a=b', old: null });
  expect(() => labelArgument('team')).toThrow('such as team=shop');
});

it.each(['db.password', 'a+b=c@d', 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf'])(
  'of some manager a secret may be called %s',
  (name) => expect(anyNameArgument(name)).toBe(name),
);

it.each(['', 'a\nb', 'x'.repeat(3000)])('of no manager is a secret called %j', (name) => {
  expect(() => anyNameArgument(name)).toThrow('It ');
});

it('a name is taken as it was typed, or refused with why', () => {
  expect(nameArgument('My Secret/a.b')).toBe('My Secret/a.b');
  expect(() => nameArgument('pässword')).toThrow('letters, digits, space');
});
