import type { Unit } from './unit.ts';
import { isAnswered, isIdle } from './unit.ts';

const MISSING_BASE = 2_000;
/** What is missing is asked for again in steps of this, so that what went missing together is asked for together. */
const MISSING_GRID = 500;
const PINNED_INTERVAL = 60 * 60_000;
const JITTER = 0.03;
/** A unit that is asked later than this part of its interval was held up together with others. */
const LATE = 0.1;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Milliseconds between two looks at a unit that gives answers. A pinned version that was read never changes and is verified rarely. */
export function intervalOf(unit: Unit): number {
  return unit.kind === 'pinned' && isRead(unit) ? Math.max(unit.interval, PINNED_INTERVAL) : unit.interval;
}

function isRead(unit: Unit): boolean {
  return [...unit.entries.values()].every((entry) => entry.outcome?.ok === true);
}

/** When a unit whose answer was that something is missing is asked again, in milliseconds of the monotonic clock. */
export function missingDue(unit: Unit, now: number): number {
  const wait = MISSING_BASE * 2 ** Math.min(unit.misses - 1, 30);
  return wait < unit.interval ? Math.ceil((now + wait) / MISSING_GRID) * MISSING_GRID : now + unit.interval;
}

/** Whether a unit is asked in a burst: for the first time, or late because nothing could be asked for a while. */
export function isBurst(unit: Unit, now: number): boolean {
  return !isAnswered(unit) || now - unit.due > LATE * unit.interval;
}

/**
 * The part of its interval after which a batch is asked again. All of a batch come back together, up to 3 % late and never early, so that
 * chance never puts more polls into a minute than belong there. Batches of a burst come back spread over the second half of their interval, so that a cold
 * start or the end of an outage is not repeated at every poll: `burst` counts them from a number left to chance, and multiples of the
 * golden ratio are even at any count.
 */
export function period(burst: number | undefined, random: number): number {
  const spread = burst === undefined ? 1 : 1 - ((burst * GOLDEN) % 1) / 2;
  return spread * (1 + JITTER * random);
}

/** The units to ask now: all that are due, and what fills their last batches up for nothing. */
export function dueUnits(units: Iterable<Unit>, now: number, batchSize: number): Unit[] {
  const idle = [...units].filter(isIdle);
  const due = idle.filter((unit) => unit.due <= now).toSorted(byDue);
  const picked = [...due];
  for (const kind of ['labels', 'pinned'] as const) {
    const taken = selections(due.filter((unit) => unit.kind === kind));
    let room = (batchSize - (taken % batchSize)) % batchSize;
    if (room === 0) {
      continue;
    }
    const next = idle.filter((unit) => unit.kind === kind && unit.due > now && mayComeEarly(unit, now)).toSorted(byDue);
    for (const unit of next) {
      room -= unit.entries.size;
      if (room < 0) {
        break;
      }
      picked.push(unit);
    }
  }
  return picked;
}

/** A label `latest` rides in another's batch for nothing, so half its interval is enough; anything else costs a backend call. */
function mayComeEarly(unit: Unit, now: number): boolean {
  if (unit.trouble !== undefined || unit.asked === undefined) {
    return false;
  }
  return now - unit.asked >= intervalOf(unit) * (unit.kind === 'labels' && isCheap(unit) ? 0.5 : 0.9);
}

function isCheap(unit: Unit): boolean {
  return [...unit.entries.values()].every(({ topic }) => topic.kind === 'value' && topic.selector.kind === 'latest');
}

function selections(units: readonly Unit[]): number {
  return units.reduce((sum, unit) => sum + unit.entries.size, 0);
}

function byDue(one: Unit, other: Unit): number {
  return one.due - other.due;
}
