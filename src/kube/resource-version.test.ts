import { expect, it } from 'vitest';
import { isOlderVersion } from './resource-version.ts';

it.each([
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  ['99999999999999999998', '99999999999999999999', true],
  ['', '10', false],
  ['9', '', false],
  ['abc', '10', false],
  ['010', '9', false],
])('says of %s whether it is older than %s', (a, b, expected) => {
  expect(isOlderVersion(a, b)).toBe(expected);
});
