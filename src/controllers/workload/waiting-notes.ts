import { isDeepStrictEqual } from 'node:util';
import type { Request } from '../../runtime/request.ts';
import type { WaitingNote, WaitingNotes } from './reconcile.ts';

/** Calls the references of a workload whose reason for waiting changed. */
export function createWaitingNotes(call: (reference: Request) => void): WaitingNotes {
  const notes = new Map<string, WaitingNote>();
  return {
    get: (uid) => notes.get(uid),
    set(uid, note, references) {
      if (isDeepStrictEqual(notes.get(uid), note)) return;
      if (note === undefined) notes.delete(uid);
      else notes.set(uid, note);
      for (const { metadata } of references) call(metadata);
    },
  };
}
