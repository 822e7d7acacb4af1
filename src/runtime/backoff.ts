import type { Random } from './clock.ts';

export interface BackoffOptions {
  /** Milliseconds of the first wait. */
  readonly base: number;
  /** Milliseconds that no wait exceeds. */
  readonly cap: number;
  readonly random: Random;
}

/**
 * Milliseconds to wait before the next try after `tries` failures in a row (1 is the first). The wait doubles with every failure up
 * to the cap, and its upper half is left to chance, so that what failed together does not come back together.
 */
export function backoff(options: BackoffOptions, tries: number): number {
  const ceiling = Math.min(options.cap, options.base * 2 ** Math.max(0, tries - 1));
  return ceiling * (0.5 + options.random() / 2);
}
