import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test.each([
  ['pasword', ['username', 'password'], 'password'],
  ['PASSWORD', ['password'], 'password'],
  ['uper', ['lower', 'upper'], 'upper'],
  ['usr', ['user', 'users'], 'user'],
  ['ab', ['b', 'a'], 'a'],
  ['password', ['username', 'token'], undefined],
  ['x', [], undefined],
  ['a', ['xyz'], undefined],
])('nearest to %s among %j is %s', (name, names, expected) => {
  expect(nearestName(name, names)).toBe(expected);
});
