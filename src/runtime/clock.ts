/** Time and chance as parameters, so that every wait can be driven by a test. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. For stamps that people or the API server read; never for measuring. */
  now(): number;
  /** Milliseconds on a clock that never jumps. For measuring and deadlines. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds, unless cancelled. The timer does not keep the process alive. */
  after(ms: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** A number in [0, 1), as `Math.random` gives. */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: systemTimer,
};

/** Milliseconds of the longest timer that Node can set; it fires longer ones at once. */
const longestTimer = 2 ** 31 - 1;

function systemTimer(ms: number, callback: () => void): Timer {
  if (ms > longestTimer) {
    let timer = systemTimer(longestTimer, () => (timer = systemTimer(ms - longestTimer, callback)));
    return { cancel: () => timer.cancel() };
  }
  const timer = setTimeout(callback, ms);
  timer.unref();
  return { cancel: () => clearTimeout(timer) };
}

/** Resolves after `ms` milliseconds, or at once when `signal` aborts: callers look at the signal, nothing is thrown. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(ms, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
