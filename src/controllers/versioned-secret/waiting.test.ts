import { expect, test } from 'vitest';
import { buildMetadata } from '../testing/builders.ts';
import { type SecretVersion, toSecretVersion } from './secret-version.ts';
import { excessNote, tooManyWaiting } from './waiting.ts';

function version(number: number, second = 0): SecretVersion {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const spec = { secret: 'db', version: number, from: { version: 1 }, createdBy: 'mallory' };
  return toSecretVersion({ metadata: { ...buildMetadata({ name: `db-${number}` }), creationTimestamp }, spec });
}

test('of what waits the oldest 200 stay, and of one second those with the lowest numbers', () => {
  const old = Array.from({ length: 198 }, (_none, index) => version(1_000 + index));
  const young = [version(4, 1), version(2, 1), version(3, 1), version(1, 2)];

  expect(tooManyWaiting([...young, ...old]).map(({ spec }) => spec.version)).toEqual([4, 1]);
  expect(tooManyWaiting(old)).toEqual([]);
});

test('the audit log hears who put what is taken away', () => {
  expect(excessNote(version(7))).toEqual({
    action: 'reject',
    user: 'mallory',
    version: 7,
    result: 'Rejected',
    reason: 'LimitExceeded',
  });
});
