import type { SecretSummary, VersionSummary } from '../manager.ts';
import type { Found } from './find.ts';
import type { Entry, Outcome, Result, Unit } from './unit.ts';
import { tellEntry, tellUnit } from './unit.ts';

/** What a call said about one unit: every part of it from one moment. */
export interface Answer {
  readonly outcomes: ReadonlyMap<Entry, Outcome>;
  readonly found: Found | undefined;
}

const MISSING: ReadonlySet<string> = new Set(['SecretNotFound', 'NoVersion', 'VersionNotFound']);

/**
 * Replaces what is known of a unit by an answer, and adds to `told` who can see a difference. The answer must be newer than what is known, and so
 * holds all its parts: an entry keeps its results only while it is in every call that is made.
 */
export function install(unit: Unit, answer: Answer, told: Set<string>): void {
  for (const [entry, outcome] of answer.outcomes) {
    if (entry.outcome === undefined || !sameOutcome(entry.outcome, outcome)) {
      tellEntry(entry, told);
    }
    entry.outcome = outcome;
  }
  if (answer.found !== undefined) {
    // Who waits for a look at a name of its own target sees a change even where the list is the same.
    if (unit.found !== undefined && looksDiffer(unit.found, answer.found)) {
      tellUnit(unit, told);
    }
    unit.found = answer.found;
  }
}

/** Whether an answer says of anything that it does not exist. */
export function hasMissing(answer: Answer): boolean {
  return [...answer.outcomes.values()].some((outcome) => !outcome.ok && MISSING.has(outcome.error.reason));
}

/** Whether a name was newly looked at; those that are no longer looked at are in the list, or nobody holds them. */
function looksDiffer(one: Found, other: Found): boolean {
  return (
    [...other.doubtful].some((name) => !one.doubtful.has(name)) || [...other.gone].some((name) => !one.gone.has(name))
  );
}

function sameOutcome(one: Outcome, other: Outcome): boolean {
  if (one.ok && other.ok) {
    return sameResult(one.result, other.result);
  }
  return !one.ok && !other.ok && one.error.reason === other.error.reason && one.error.message === other.error.message;
}

function sameResult(one: Result, other: Result): boolean {
  if ('identity' in one && 'identity' in other) {
    // Equal identities with other bytes are a backend that lies: the newer bytes win.
    return one.identity === other.identity && one.version === other.version && one.value.equals(other.value);
  }
  return !('identity' in one) && !('identity' in other) && listKey(one) === listKey(other);
}

function listKey(list: readonly SecretSummary[] | readonly VersionSummary[]): string {
  return JSON.stringify(
    list.map((item) =>
      'secret' in item
        ? [item.secret, item.name, [...item.tags].toSorted(([key], [otherKey]) => (key < otherKey ? -1 : 1))]
        : [item.version, item.stages, item.createdAt?.getTime()],
    ),
  );
}
