import type { Clock } from '../../runtime/clock.ts';
import { formatDuration, parseDuration } from '../../runtime/duration.ts';
import type { Applied } from '../rollout/applied.ts';
import type { Workload } from '../rollout/workload.ts';
import type { DueTarget } from './due.ts';

/** How long a rollout that is due is held back. */
export interface Wait {
  /** Milliseconds. */
  readonly ms: number;
  /** What the status says of it; undefined for what is over at once. */
  readonly reason: string | undefined;
}

export interface Pace {
  /** Undefined where the rollout may begin. */
  check(workload: Workload, due: readonly DueTarget[]): Wait | undefined;
  /** Nothing is due any more: the next change waits for others anew. */
  forget(uid: string): void;
}

/**
 * Targets that change together cost a workload one rollout, and one that changes again and again does not restart pods for ever: the last content wins.
 * @param minInterval milliseconds between two rollouts of a workload
 */
export function createPace(minInterval: number, clock: Clock, applied: Pick<Applied, 'lastAt'>): Pace {
  const dueSince = new Map<string, number>();
  return {
    check(workload, due) {
      const { uid } = workload.metadata;
      const now = clock.monotonic();
      const since = dueSince.get(uid) ?? now;
      dueSince.set(uid, since);
      const settle = Math.max(...due.map(({ reference }) => parseDuration(reference.spec.rollout.settle)));
      const settling = since + settle - now;
      if (settling > 0) return { ms: settling, reason: undefined };
      // Going back is rare, and pods are failing.
      if (due.some(({ reference }) => reference.status.held !== undefined)) return undefined;
      const times = [workload.markedAt === undefined ? undefined : Date.parse(workload.markedAt), applied.lastAt(uid)];
      const last = times.reduce((a, b) => (a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)));
      // A clock that is behind the API server's must not hold it back for longer.
      const left = last === undefined ? 0 : Math.min(last + minInterval - clock.now(), since + minInterval - now);
      if (left <= 0) return undefined;
      return { ms: left, reason: `it was rolled out less than ${formatDuration(minInterval)} ago` };
    },
    forget: (uid) => {
      dueSince.delete(uid);
    },
  };
}
