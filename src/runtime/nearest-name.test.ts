import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('the nearest name', () => {
  it.each([
    ['--log-levle', '--log-level'],
    ['--loglevel', '--log-level'],
    ['--log-level', '--log-level'],
    ['--log_format', '--log-format'],
  ])('of %s is %s', (name, nearest) => {
    expect(nearestName(name, ['--log-format', '--log-level', '--identity'])).toBe(nearest);
  });

  it.each(['--verbose', '', 'x'])('of %j is none', (name) => {
    expect(nearestName(name, ['--log-format', '--log-level'])).toBeUndefined();
  });

  it.each([
    ['pasword', ['username', 'password'], 'password'],
    ['PASSWORD', ['password'], 'password'],
    ['uper', ['lower', 'upper'], 'upper'],
    ['usr', ['user', 'users'], 'user'],
    ['ab', ['b', 'a'], 'a'],
    ['password', ['username', 'token'], undefined],
    ['x', [], undefined],
    ['a', ['xyz'], undefined],
  ])('to %s among %j is %s', (name, names, expected) => {
    expect(nearestName(name, names)).toBe(expected);
  });
});
