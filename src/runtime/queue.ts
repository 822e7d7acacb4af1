import { backoff } from './backoff.ts';
import type { Clock, Random, Timer } from './clock.ts';

/** `high` goes first: what people change. `low` is for the initial list, retries and timers; see `lowShare`. */
export type Priority = 'high' | 'low';

/** Told of what happens in a queue, for metrics. Times are milliseconds. */
export interface QueueObserver {
  added(): void;
  taken(waited: number): void;
  finished(worked: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds of the first and of the longest wait before a retry. Default 5 ms and 60 s. */
  readonly backoff?: { readonly base: number; readonly cap: number };
  readonly observer?: QueueObserver;
}

/**
 * A set of keys that need work. A key stands in it once however often it is added, and is in the hands of one worker at a time; added
 * while a worker has it, it is handed out again after `done`. A key that is not queued, delayed, in flight or failing holds no state.
 */
export interface WorkQueue {
  /** Wants `key` worked on now. Replaces its delay, if it has one. Default priority `high`; a queued `low` key is promoted. */
  add(key: string, priority?: Priority): void;
  /** Wants `key` worked on, with priority `low`, in `ms` milliseconds at the latest: what is due earlier stays. */
  addAfter(key: string, ms: number): void;
  /** Adds `key` after its backoff, which grows with every call until `forget`. Returns the milliseconds of the backoff. */
  retry(key: string): number;
  /** Ends the backoff of `key`: call it on success, and on failures that are not to be retried. */
  forget(key: string): void;
  /** Resolves with the next key, now in flight until `done`; with undefined once the queue is shut down. */
  next(): Promise<string | undefined>;
  /** Gives back a key that `next` handed out. */
  done(key: string): void;
  /** How many keys are ready to be taken. */
  depth(): number;
  /** How many keys hold any state. */
  size(): number;
  /** How many keys are in flight, and for how many milliseconds in sum and at most. */
  inFlight(): { readonly count: number; readonly total: number; readonly longest: number };
  /** Drops all keys that are not in flight, refuses new ones, and resolves when none is in flight any more. */
  shutDown(): Promise<void>;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyQueue(options);
}

/** Of this many keys handed out in a row while both kinds wait, one is `low`, so that none waits for ever. */
const lowShare = 10;

/** Invariant: a key that is wanted has no delay, and stands in a ready set exactly when it is also not in flight. */
interface Entry {
  wanted: Priority | undefined;
  wantedSince: number;
  delay: { readonly timer: Timer; readonly due: number } | undefined;
  tries: number;
}

class KeyQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: { readonly base: number; readonly cap: number };
  readonly #observer: QueueObserver | undefined;
  readonly #entries = new Map<string, Entry>();
  // Sets keep the order of insertion, so they are first in, first out, and a promoted key leaves its set in constant time.
  readonly #ready = { high: new Set<string>(), low: new Set<string>() };
  /** Key -> monotonic time when it was taken. */
  readonly #inFlight = new Map<string, number>();
  readonly #waiters: ((key: string | undefined) => void)[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #highInARow = 0;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#backoff = options.backoff ?? { base: 5, cap: 60_000 };
    this.#observer = options.observer;
  }

  add(key: string, priority: Priority = 'high'): void {
    if (this.#closed) {
      return;
    }
    const entry = this.#entry(key);
    this.#observer?.added();
    this.#cancelDelay(entry);
    if (entry.wanted === priority || entry.wanted === 'high') {
      return;
    }
    if (entry.wanted === undefined) {
      entry.wantedSince = this.#clock.monotonic();
    }
    entry.wanted = priority;
    this.#makeReady(key, entry);
  }

  addAfter(key: string, ms: number): void {
    if (this.#closed) {
      return;
    }
    const entry = this.#entry(key);
    const due = this.#clock.monotonic() + ms;
    if (entry.wanted !== undefined || (entry.delay !== undefined && entry.delay.due <= due)) {
      return;
    }
    this.#cancelDelay(entry);
    entry.delay = { due, timer: this.#clock.after(ms, () => this.add(key, 'low')) };
  }

  retry(key: string): number {
    const entry = this.#entry(key);
    entry.tries += 1;
    const wait = backoff({ ...this.#backoff, random: this.#random }, entry.tries);
    this.#observer?.retried();
    this.addAfter(key, wait);
    this.#dropIfIdle(key, entry);
    return wait;
  }

  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.tries = 0;
      this.#dropIfIdle(key, entry);
    }
  }

  next(): Promise<string | undefined> {
    const key = this.#closed ? undefined : this.#take();
    if (this.#closed || key !== undefined) {
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  done(key: string): void {
    const startedAt = this.#inFlight.get(key);
    const entry = this.#entries.get(key);
    if (startedAt === undefined || entry === undefined) {
      return;
    }
    this.#inFlight.delete(key);
    this.#observer?.finished(this.#clock.monotonic() - startedAt);
    this.#makeReady(key, entry);
    this.#dropIfIdle(key, entry);
    this.#settleDrain();
  }

  depth(): number {
    return this.#ready.high.size + this.#ready.low.size;
  }

  size(): number {
    return this.#entries.size;
  }

  inFlight(): { readonly count: number; readonly total: number; readonly longest: number } {
    const now = this.#clock.monotonic();
    let total = 0;
    let longest = 0;
    for (const startedAt of this.#inFlight.values()) {
      total += now - startedAt;
      longest = Math.max(longest, now - startedAt);
    }
    return { count: this.#inFlight.size, total, longest };
  }

  shutDown(): Promise<void> {
    this.#closed = true;
    this.#ready.high.clear();
    this.#ready.low.clear();
    for (const [key, entry] of this.#entries) {
      this.#cancelDelay(entry);
      entry.wanted = undefined;
      this.#dropIfIdle(key, entry);
    }
    for (const resolve of this.#waiters.splice(0)) {
      resolve(undefined);
    }
    this.#settleDrain();
    return this.#drained.promise;
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { wanted: undefined, wantedSince: 0, delay: undefined, tries: 0 };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** Puts a wanted key that no worker has where its priority belongs, and hands it to a worker that waits. */
  #makeReady(key: string, entry: Entry): void {
    if (entry.wanted === undefined || this.#inFlight.has(key)) {
      return;
    }
    this.#ready.low.delete(key);
    this.#ready[entry.wanted].add(key);
    if (this.#waiters.length > 0) {
      this.#waiters.shift()?.(this.#take());
    }
  }

  #take(): string | undefined {
    const [key] = this.#nextSet();
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry?.wanted === undefined) {
      return undefined;
    }
    const now = this.#clock.monotonic();
    this.#ready[entry.wanted].delete(key);
    this.#highInARow = entry.wanted === 'high' ? this.#highInARow + 1 : 0;
    entry.wanted = undefined;
    this.#inFlight.set(key, now);
    this.#observer?.taken(now - entry.wantedSince);
    return key;
  }

  #nextSet(): ReadonlySet<string> {
    const { high, low } = this.#ready;
    const lowIsDue = low.size > 0 && this.#highInARow >= lowShare - 1;
    return high.size === 0 || lowIsDue ? low : high;
  }

  #cancelDelay(entry: Entry): void {
    entry.delay?.timer.cancel();
    entry.delay = undefined;
  }

  #dropIfIdle(key: string, entry: Entry): void {
    const idle = entry.wanted === undefined && entry.delay === undefined && entry.tries === 0;
    if ((idle || this.#closed) && !this.#inFlight.has(key)) {
      this.#entries.delete(key);
    }
  }

  #settleDrain(): void {
    if (this.#closed && this.#inFlight.size === 0) {
      this.#drained.resolve();
    }
  }
}
