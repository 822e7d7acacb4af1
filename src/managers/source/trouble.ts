import type { Clock } from '../../runtime/clock.ts';
import type { ManagerError } from '../errors.ts';
import type { Unit } from './unit.ts';
import { tellEntry, tellUnit } from './unit.ts';

const STALE_TRIES = 3;
const STALE_AFTER = 10 * 60_000;

/** Notes that a unit could not be asked. Told are those who know nothing yet and hear a new error, and everybody once it is stale. */
export function worsen(unit: Unit, error: ManagerError, clock: Clock, told: Set<string>): void {
  const before = unit.trouble;
  if (before === undefined) {
    unit.troubledAt = clock.monotonic();
    unit.trouble = { error, since: clock.now(), tries: 1, stale: false };
    tellUnanswered(unit, told);
    return;
  }
  const tries = before.tries + 1;
  const stale = before.stale || tries >= STALE_TRIES || clock.monotonic() >= staleAt(unit);
  unit.trouble = { error, since: before.since, tries, stale };
  if (stale && !before.stale) {
    tellUnit(unit, told);
  }
  if (before.error.reason !== error.reason || before.error.message !== error.message) {
    tellUnanswered(unit, told);
  }
}

/** When a unit's trouble becomes stale by time alone, in milliseconds of the monotonic clock; infinite without such trouble. */
export function staleDeadline(unit: Unit): number {
  return unit.trouble === undefined || unit.trouble.stale ? Number.POSITIVE_INFINITY : staleAt(unit);
}

/** Marks trouble as stale that lasted too long. */
export function ageTrouble(unit: Unit, now: number, told: Set<string>): void {
  if (unit.trouble !== undefined && staleDeadline(unit) <= now) {
    unit.trouble = { ...unit.trouble, stale: true };
    tellUnit(unit, told);
  }
}

/** Ends trouble. Only what was stale was ever told, so only its end is. */
export function endTrouble(unit: Unit, told: Set<string>): void {
  if (unit.trouble?.stale === true) {
    tellUnit(unit, told);
  }
  unit.trouble = undefined;
}

function staleAt(unit: Unit): number {
  return unit.troubledAt + STALE_AFTER;
}

function tellUnanswered(unit: Unit, told: Set<string>): void {
  for (const entry of unit.entries.values()) {
    if (entry.outcome === undefined) {
      tellEntry(entry, told);
    }
  }
}
