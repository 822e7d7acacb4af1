import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

const day = 24 * 3_600_000;

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('fires a timer that is longer than the longest of Node when its time has come, and only once', () => {
    let fired = 0;
    systemClock.after(60 * day, () => (fired += 1));
    vi.advanceTimersByTime(60 * day - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(60 * day);
    expect(fired).toBe(1);
  });

  it('cancels such a timer also after a part of its time', () => {
    let fired = 0;
    const timer = systemClock.after(60 * day, () => (fired += 1));
    vi.advanceTimersByTime(30 * day);
    timer.cancel();
    vi.advanceTimersByTime(60 * day);
    expect(fired).toBe(0);
  });

  it('hands timers to Node that it can set', () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    systemClock.after(1_000, () => undefined);
    systemClock.after(60 * day, () => undefined);
    expect(set.mock.calls.map(([, ms]) => ms)).toEqual([1_000, 2 ** 31 - 1]);
  });
});
