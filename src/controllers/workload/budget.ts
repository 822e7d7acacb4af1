import type { Clock } from '../../runtime/clock.ts';
import { type Request, requestKey } from '../../runtime/request.ts';

/** A workload as the budget counts it. */
export interface Taker {
  readonly uid: string;
  readonly namespace: string;
}

/** How many workloads are being rolled out at once. */
export interface Budget {
  /** Takes a place for a workload, unless all are taken, or its namespace has its share. */
  take(taker: Taker): boolean;
  /** Says whether a workload is being rolled out, and since when (milliseconds since 1970). */
  note(taker: Taker, rollout: { readonly since: number } | undefined): void;
  /** Calls again when there is a place. */
  wait(request: Request): void;
  /** Calls as many of those that wait as there are places, in the order in which they came. */
  callWaiting(): void;
  /** How many wait. */
  readonly waiting: number;
}

/** Milliseconds: a rollout that takes longer gives its place to others, or broken workloads would stop all. */
const PATIENCE = 600_000;

interface Place {
  readonly namespace: string;
  readonly since: number;
}

/** @param most places; one namespace gets at most half of them, so that none can stop the others */
export function createBudget(most: number, clock: Clock, call: (request: Request) => void): Budget {
  const share = Math.ceil(most / 2);
  const taken = new Map<string, Place>();
  const waiting = new Map<string, Request>();

  /** Of all places and of the namespace's share, what is less. */
  function places(): (namespace: string) => number {
    const used = new Map<string, number>();
    for (const [uid, { namespace, since }] of taken) {
      if (clock.now() - since > PATIENCE) taken.delete(uid);
      else used.set(namespace, (used.get(namespace) ?? 0) + 1);
    }
    return (namespace) => Math.min(most - taken.size, share - (used.get(namespace) ?? 0));
  }

  return {
    take({ uid, namespace }) {
      if (!taken.has(uid) && places()(namespace) <= 0) return false;
      taken.set(uid, { namespace, since: clock.now() });
      return true;
    },
    note({ uid, namespace }, rollout) {
      if (rollout === undefined) taken.delete(uid);
      // The stamp may be anybody's: one that lies in the future would never end.
      else taken.set(uid, { namespace, since: Math.min(rollout.since, clock.now()) });
    },
    wait: (request) => {
      waiting.set(requestKey(request), request);
    },
    callWaiting() {
      if (waiting.size === 0) return;
      const free = places();
      const called = new Map<string, number>();
      let all = most - taken.size;
      for (const [key, request] of waiting) {
        if (all <= 0) break;
        const mine = called.get(request.namespace) ?? 0;
        if (free(request.namespace) - mine <= 0) continue;
        called.set(request.namespace, mine + 1);
        all -= 1;
        waiting.delete(key);
        call(request);
      }
    },
    get waiting() {
      return waiting.size;
    },
  };
}
