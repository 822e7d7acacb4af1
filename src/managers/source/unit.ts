import type { ManagerError } from '../errors.ts';
import type { AccessedVersion, SecretSummary, VersionSummary } from '../manager.ts';
import type { Reading, Subscription, Topic, Trouble } from '../topic.ts';
import type { Found } from './find.ts';
import { findView } from './find.ts';

export type Result = AccessedVersion | readonly SecretSummary[] | readonly VersionSummary[];

/** What the manager definitely said last. */
export type Outcome =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: ManagerError };

/** First syncs and people's wishes go before sweeps. */
export type Lane = 'urgent' | 'sweep';

export type UnitKind = 'labels' | 'pinned' | 'find' | 'versions';

/** One distinct topic, however many subscribe to it. */
export interface Entry {
  readonly key: string;
  readonly topic: Topic;
  readonly unit: Unit;
  /** By subscriber, what it said. */
  readonly subscribers: Map<string, Subscription>;
  outcome: Outcome | undefined;
}

/**
 * What is asked for and answered together: all labels of one secret, or one other topic. Times are in milliseconds of the
 * monotonic clock.
 */
export interface Unit {
  readonly kind: UnitKind;
  readonly key: string;
  readonly secret: string;
  readonly entries: Map<string, Entry>;
  /** The shortest interval that a subscriber wants, in milliseconds. */
  interval: number;
  /** When the last call began. */
  asked: number | undefined;
  /** When it should be asked again; counts only while it is neither queued nor asked. */
  due: number;
  queued: Lane | undefined;
  inFlight: number;
  /** The number of the newest call that said something about it: what older calls say is dropped. */
  reported: number;
  /** Answers in a row that something does not exist. */
  misses: number;
  trouble: Trouble | undefined;
  troubledAt: number;
  /** What a find topic rests on. */
  found: Found | undefined;
  /** Refreshes that wait for an answer. */
  readonly waiters: Set<Refresh>;
}

/** A subscriber's wish to have everything asked again. */
export interface Refresh {
  readonly subscriber: string;
  readonly token: string;
  /** By unit, the first call whose answer counts. */
  readonly waiting: Map<Unit, number>;
}

export function createUnit(kind: UnitKind, key: string, secret: string, now: number): Unit {
  return {
    kind,
    key,
    secret,
    entries: new Map(),
    interval: Number.POSITIVE_INFINITY,
    asked: undefined,
    due: now,
    queued: undefined,
    inFlight: 0,
    reported: 0,
    misses: 0,
    trouble: undefined,
    troubledAt: 0,
    found: undefined,
    waiters: new Set(),
  };
}

/** Neither waiting for a call nor asked at present. */
export function isIdle(unit: Unit): boolean {
  return unit.queued === undefined && unit.inFlight === 0;
}

/** Whether the manager ever answered for any part of it. */
export function isAnswered(unit: Unit): boolean {
  for (const entry of unit.entries.values()) {
    if (entry.outcome !== undefined) {
      return true;
    }
  }
  return false;
}

/** What a subscriber to `topic` sees. */
export function readingOf(entry: Entry, topic: Topic): Reading<Result> {
  const { outcome, unit } = entry;
  const { trouble, found } = unit;
  if (outcome === undefined) {
    return trouble === undefined ? { state: 'pending' } : { state: 'failed', error: trouble.error, trouble };
  }
  if (!outcome.ok) {
    return { state: 'failed', error: outcome.error, trouble };
  }
  if (topic.kind !== 'find' || found === undefined) {
    return { state: 'known', result: outcome.result, trouble };
  }
  const result = findView(found, topic);
  if (result !== undefined) {
    return { state: 'known', result, trouble };
  }
  return trouble === undefined ? { state: 'pending' } : { state: 'failed', error: trouble.error, trouble };
}

export function tellEntry(entry: Entry, told: Set<string>): void {
  for (const subscriber of entry.subscribers.keys()) {
    told.add(subscriber);
  }
}

export function tellUnit(unit: Unit, told: Set<string>): void {
  for (const entry of unit.entries.values()) {
    tellEntry(entry, told);
  }
}
