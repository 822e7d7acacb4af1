import { expect, test } from 'vitest';
import { createDirectory } from './directory.ts';

test('a manager that is there but was not looked at is starting, one that is not there is missing', () => {
  const directory = createDirectory((key) => key === 'there');
  expect(directory.lookup('there')).toEqual({ state: 'starting' });
  expect(directory.lookup('elsewhere')).toEqual({ state: 'missing' });
});

test('setting tells whether references see a difference', () => {
  const directory = createDirectory(() => true);
  expect(directory.set('m', '1', { state: 'broken', message: 'x' })).toBe(true);
  expect(directory.set('m', '1', { state: 'broken', message: 'x' })).toBe(false);
  expect(directory.set('m', '2', { state: 'broken', message: 'y' })).toBe(true);
  expect(directory.lookup('m')).toEqual({ state: 'broken', message: 'y' });
});

test('removing tells whether the manager was known', () => {
  const directory = createDirectory(() => false);
  directory.set('m', '1', { state: 'broken', message: 'x' });
  expect(directory.remove('m')).toBe(true);
  expect(directory.remove('m')).toBe(false);
});
