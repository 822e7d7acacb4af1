import { expect, test } from 'vitest';
import { nodeFlags } from './operator/operator-process.ts';

test('security rule 22: tests run as the image does, without code from strings and without __proto__', () => {
  const plain: object = {};

  expect(() => {
    Reflect.construct(Function, ['return 1']);
  }).toThrow('Code generation from strings disallowed for this context');
  expect('__proto__' in plain).toBe(false);
  expect(process.execArgv).toEqual(expect.arrayContaining(nodeFlags));
});
