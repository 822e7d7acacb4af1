import type { Request } from '../../runtime/request.ts';
import type { WaitingNotes } from './reconcile.ts';

/** Calls the references of a workload whose reason for waiting changed. */
export function createWaitingNotes(call: (reference: Request) => void): WaitingNotes {
  const reasons = new Map<string, string>();
  return {
    get: (uid) => reasons.get(uid),
    set(uid, reason, references) {
      if (reasons.get(uid) === reason) return;
      if (reason === undefined) reasons.delete(uid);
      else reasons.set(uid, reason);
      for (const { metadata } of references) call(metadata);
    },
  };
}
