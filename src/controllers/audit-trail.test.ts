import { expect, test } from 'vitest';
import { createFakeClock } from '../runtime/fake-clock.ts';
import type { AuditEntry } from './audit.ts';
import { createAuditTrail } from './audit-trail.ts';

function setUp(record: (entry: AuditEntry) => Promise<void> = () => Promise.resolve()) {
  const logged: AuditEntry[] = [];
  const log = {
    record: async (entry: AuditEntry) => {
      await record(entry);
      logged.push(entry);
    },
  };
  return { logged, trail: createAuditTrail(log, createFakeClock()) };
}

function entry(more: Partial<AuditEntry> = {}): AuditEntry {
  return { action: 'put', user: 'ada', namespace: 'shop', secret: 'db', version: 1, result: 'Allowed', ...more };
}

test('a record is in the log and waits for the status of its secret', async () => {
  const { trail, logged } = setUp();
  const told: string[] = [];
  trail.onRecord((namespace, secret) => told.push(`${namespace}/${secret}`));

  await trail.record(entry({ for: 'SecretReference shop/api', reason: 'check' }));

  expect(logged).toEqual([entry({ for: 'SecretReference shop/api', reason: 'check' })]);
  expect(trail.pending('shop', 'db')).toEqual([
    {
      time: '2026-01-01T00:00:00.000Z',
      action: 'put',
      user: 'ada',
      version: 1,
      for: 'SecretReference shop/api',
      result: 'Allowed',
      reason: 'check',
    },
  ]);
  expect(trail.pending('shop', 'other')).toEqual([]);
  expect(told).toEqual(['shop/db']);
});

test('what was written to the status does not wait any more; what came meanwhile does', async () => {
  const { trail } = setUp();
  await trail.record(entry());
  const written = trail.pending('shop', 'db');
  await trail.record(entry({ version: 2 }));

  trail.written('shop', 'db', written);

  expect(trail.pending('shop', 'db')).toMatchObject([{ version: 2 }]);
});

test('the last 20 of a secret wait, oldest first', async () => {
  const { trail } = setUp();
  for (let version = 1; version <= 25; version += 1) await trail.record(entry({ version }));

  const versions = trail.pending('shop', 'db').map(({ version }) => version);

  expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 6));
});

test('a flood of records on secrets that are not there forgets those first that were asked about longest ago', async () => {
  const { trail } = setUp();
  await trail.record(entry({ secret: 'old' }));
  for (let number = 0; number < 10_000; number += 1) await trail.record(entry({ secret: `none-${number}` }));

  await trail.record(entry());

  expect(trail.pending('shop', 'db')).toHaveLength(1);
  expect(trail.pending('shop', 'old')).toEqual([]);
});

test('what can not be logged is no record, and whoever wanted it hears of it', async () => {
  const { trail } = setUp(() => Promise.reject(new Error('full')));

  await expect(trail.record(entry())).rejects.toThrow('full');
  expect(trail.pending('shop', 'db')).toEqual([]);
});

test('words of people stay on their line', async () => {
  const { trail, logged } = setUp();

  await trail.record(entry({ user: 'a\u001b[2Jb', reason: 'one\ntwo\u2028three\u202efour', for: 'x\u0000y' }));

  expect(logged).toMatchObject([{ user: 'a?[2Jb', reason: 'one?two?three?four', for: 'x?y' }]);
  expect(trail.pending('shop', 'db')).toMatchObject([{ user: 'a?[2Jb', reason: 'one?two?three?four' }]);
});

test('a status does not say what another namespace calls its references; the log does', async () => {
  const { trail, logged } = setUp();

  await trail.record(entry({ for: 'SecretReference cart/mail' }));
  await trail.record(entry({ for: 'age1recipient' }));

  expect(logged[0]).toMatchObject({ for: 'SecretReference cart/mail' });
  expect(trail.pending('shop', 'db').map((record) => record.for)).toEqual([
    'SecretReference of another namespace',
    'age1recipient',
  ]);
});
