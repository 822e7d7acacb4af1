import { expect, it } from 'vitest';
import { suspensionOf } from './suspension.ts';

const now = Date.parse('2026-01-01T10:00:00Z');
const of = (suspend: boolean, until?: string) =>
  suspensionOf(
    { metadata: { annotations: until === undefined ? {} : { 'keyferry.io/suspend-until': until } }, spec: { suspend } },
    now,
  );

it('is none where nobody asked for it, or its time is over', () => {
  expect(of(false)).toBeUndefined();
  expect(of(false, '2026-01-01T10:00:00Z')).toBeUndefined();
  expect(of(false, '2026-01-01T11:59:59+02:00')).toBeUndefined();
});

it('is one until the time that the annotation says', () => {
  const message = 'nothing is synced or repaired until 2026-01-01T10:00:01.000Z';
  expect(of(false, '2026-01-01T12:00:01+02:00')).toEqual({ until: now + 1000, message });
});

it('is one until somebody says otherwise, by the spec whatever the annotation says', () => {
  const message = 'nothing is synced or repaired until spec.suspend is false';
  expect(of(true)).toEqual({ message });
  expect(of(true, '2025-01-01T00:00:00Z')).toEqual({ message });
});

it.each(['', 'tomorrow', '2026-01-01', '10000'])(
  'is one, and says why, where the annotation is no time: %j',
  (text) => {
    expect(of(false, text)).toEqual({ message: expect.stringContaining('keyferry.io/suspend-until is no time') });
  },
);
