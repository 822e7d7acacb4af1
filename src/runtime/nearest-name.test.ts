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

  it('is not looked for without end, however many and long the names are that others chose', () => {
    const letters: string[] = [];
    const counted = (name: string): string => {
      letters.push(name);
      return name;
    };
    function* names(): Generator<string> {
      for (let index = 0; ; index += 1) yield counted(`app/password-${index % 10}`);
    }

    expect(nearestName('app/pasword-1', names())).toBe('app/password-1');
    expect(letters.length).toBeLessThan(1_000);
    expect(nearestName('x'.repeat(500), ['x'.repeat(500)])).toBeUndefined();
  });
});
