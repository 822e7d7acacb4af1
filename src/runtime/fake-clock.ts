import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from './clock.ts';

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time forward by `ms` milliseconds. Timers that come due fire in order of their time (then of their
   * making), each at exactly its own time, and what they set off (promise continuations, new timers) runs before the next.
   */
  advance(ms: number): Promise<void>;
  /** Lets everything that can run without the passing of time run. The same as `advance(0)`. */
  flush(): Promise<void>;
  /** How many timers wait. */
  pending(): number;
}

interface FakeTimer {
  readonly due: number;
  readonly callback: () => void;
}

const defaultStart = Date.UTC(2026, 0, 1);

/** Makes a clock whose wall time begins at `start` (milliseconds since the epoch) and whose monotonic time begins at 0. */
export function createFakeClock(start: number = defaultStart): FakeClock {
  const timers = new Set<FakeTimer>();
  let elapsed = 0;

  const after = (ms: number, callback: () => void): Timer => {
    const timer = { due: elapsed + Math.max(0, ms), callback };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  };

  const advance = async (ms: number): Promise<void> => {
    const end = elapsed + ms;
    await flush();
    for (let timer = nextDue(timers, end); timer !== undefined; timer = nextDue(timers, end)) {
      timers.delete(timer);
      elapsed = timer.due;
      timer.callback();
      await flush();
    }
    elapsed = end;
  };

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after,
    advance,
    flush: () => advance(0),
    pending: () => timers.size,
  };
}

/** A turn of the event loop runs every promise continuation that is ready, and those that these make ready. */
async function flush(): Promise<void> {
  await nextTurn();
}

function nextDue(timers: ReadonlySet<FakeTimer>, end: number): FakeTimer | undefined {
  let next: FakeTimer | undefined;
  for (const timer of timers) {
    if (timer.due <= end && (next === undefined || timer.due < next.due)) {
      next = timer;
    }
  }
  return next;
}
