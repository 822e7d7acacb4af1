import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startPacemaker } from './pacemaker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('finds no delay where there is none', async () => {
  const pacemaker = startPacemaker(() => Promise.resolve(), Date.now);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(pacemaker.worstSince(0)).toBe(0);
  pacemaker.stop();
});

it('finds work that took long, also while it goes on', async () => {
  const began = Date.now();
  const slow = Promise.withResolvers<void>();
  const pacemaker = startPacemaker(() => slow.promise, Date.now);
  await vi.advanceTimersByTimeAsync(1_250);
  expect(pacemaker.worstSince(began)).toBe(1_000);
  slow.resolve();
  await vi.advanceTimersByTimeAsync(10);
  expect(pacemaker.worstSince(began)).toBe(1_000);
  expect(pacemaker.worstSince(Date.now() + 1)).toBe(0);
  pacemaker.stop();
});
