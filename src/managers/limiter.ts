import type { Clock } from '../runtime/clock.ts';

export interface LimiterOptions {
  readonly clock: Clock;
  /** Calls a second in the long run. */
  readonly rate: number;
  /** Calls that may go at once after a quiet time. */
  readonly burst: number;
}

/** A token bucket that never waits by itself: who is refused looks at `wait` and comes back, so the most urgent goes first. */
export interface Limiter {
  /** Milliseconds until a call may go; 0: now. */
  wait(): number;
  /** Spends one call. Call it only where `wait` is 0. */
  take(): void;
}

/** For a manager that costs nothing to ask. */
export const unlimited: Limiter = { wait: () => 0, take: () => undefined };

/** A limiter that starts with a full burst. */
export function createLimiter({ clock, rate, burst }: LimiterOptions): Limiter {
  let tokens = burst;
  let filledAt = clock.monotonic();

  const fill = (): void => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - filledAt) * rate) / 1_000);
    filledAt = now;
  };

  return {
    wait: () => {
      fill();
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1_000) / rate);
    },
    take: () => {
      fill();
      tokens -= 1;
    },
  };
}
