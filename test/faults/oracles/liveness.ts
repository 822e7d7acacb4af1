import type { History, Violation } from '../history.ts';

/** L1, L2, L7, L8: what the run waited for in vain. */
export function liveness(history: History): readonly Violation[] {
  return history.waits
    .filter(({ met }) => !met)
    .map(({ law, what, why }) => ({ law, what: `in vain: ${what} (${why})` }));
}
