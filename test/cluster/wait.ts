import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, for the error's text: "the API server to be ready". */
  readonly what: string;
  /** Milliseconds until it fails. */
  readonly timeout: number;
  /** Milliseconds between two tries; 50 by default. */
  readonly interval?: number;
}

/**
 * Asks `probe` again and again until it gives something other than undefined. An error that it throws counts as "not yet" and
 * is the cause of the failure at the deadline.
 */
export async function waitFor<T>(options: WaitOptions, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + options.timeout;
  let cause: unknown;
  do {
    try {
      const found = await probe();
      if (found !== undefined) {
        return found;
      }
    } catch (error) {
      cause = error;
    }
    await delay(options.interval ?? 50);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${options.timeout / 1000} s in vain for ${options.what}.`, { cause });
}
