import type { Clock } from '../../runtime/clock.ts';
import type { Request } from '../../runtime/request.ts';
import { requestKey } from '../../runtime/request.ts';

/** How many workloads are being rolled out at once. */
export interface Budget {
  /** Takes a place for a workload, unless all are taken. */
  take(uid: string): boolean;
  /** Says whether a workload is being rolled out, and since when (milliseconds since 1970). */
  note(uid: string, rollout: { readonly since: number } | undefined): void;
  /** Calls again when there is a place. */
  wait(request: Request): void;
  /** Calls as many of those that wait as there are places. */
  callWaiting(): void;
  /** How many wait. */
  readonly waiting: number;
}

/** Milliseconds: a rollout that takes longer gives its place to others, or broken workloads would stop all. */
const PATIENCE = 600_000;

export function createBudget(most: number, clock: Clock, call: (request: Request) => void): Budget {
  const active = new Map<string, number>();
  const waiting = new Map<string, Request>();

  function free(): number {
    for (const [uid, since] of active) if (clock.now() - since > PATIENCE) active.delete(uid);
    return most - active.size;
  }

  return {
    take(uid) {
      if (active.has(uid) || free() > 0) {
        active.set(uid, clock.now());
        return true;
      }
      return false;
    },
    note(uid, rollout) {
      if (rollout === undefined) active.delete(uid);
      else active.set(uid, rollout.since);
    },
    wait: (request) => {
      waiting.set(requestKey(request), request);
    },
    callWaiting() {
      const places = free();
      for (const [key, request] of [...waiting].slice(0, Math.max(places, 0))) {
        waiting.delete(key);
        call(request);
      }
    },
    get waiting() {
      return waiting.size;
    },
  };
}
