import { type Clock, sleep } from '../../../runtime/clock.ts';

/** Milliseconds. The operator answers within some hundred, so that a watch would be no faster. */
const FIRST = 40;
const LONGEST = 500;
const GROWTH = 1.5;

/** Looks until there is something to see, ever more rarely; undefined when `patience` milliseconds are over. Rejects with the reason of an aborted signal. */
export async function waitFor<T>(
  clock: Clock,
  patience: number,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = clock.monotonic() + patience;
  for (let wait = FIRST; ; wait = Math.min(LONGEST, wait * GROWTH)) {
    const seen = await look();
    if (seen !== undefined) return seen;
    const left = end - clock.monotonic();
    if (left <= 0) return undefined;
    await sleep(clock, Math.min(wait, left), signal);
    signal.throwIfAborted();
  }
}
