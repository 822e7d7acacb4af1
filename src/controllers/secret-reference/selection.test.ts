import { expect, test } from 'vitest';
import { secretManagerSpecSchema } from '../../api/v1/secret-manager.ts';
import { prefixOf } from '../../managers/registry.ts';
import { fullName } from './selection.ts';

test('a manager puts its prefix before names, and leaves ARNs as they are', () => {
  const prefix = prefixOf(secretManagerSpecSchema.parse({ aws: { prefix: 'prod/' } }));
  expect([fullName(prefix, 'db'), fullName(prefix, 'arn:aws:x')]).toEqual(['prod/db', 'arn:aws:x']);
  expect(fullName(prefixOf(secretManagerSpecSchema.parse({ aws: {} })), 'db')).toBe('db');
});
