import type { Clock } from '../../runtime/clock.ts';
import type { Subscription, Topic } from '../topic.ts';
import { isLookedAt } from './find.ts';
import { sameWants, topicKey, unitKey } from './topics.ts';
import type { Entry, Refresh, Unit, UnitKind } from './unit.ts';
import { createUnit, isIdle } from './unit.ts';

export interface Change {
  /** Units with something new in them: to be asked now. */
  readonly ask: ReadonlySet<Unit>;
  /** Units that nobody wants any more. */
  readonly released: ReadonlySet<Unit>;
  /** Whether something is due earlier than it was. */
  readonly sooner: boolean;
}

interface Draft {
  readonly ask: Set<Unit>;
  readonly released: Set<Unit>;
  sooner: boolean;
}

interface Subscriber {
  readonly wants: readonly Subscription[];
  readonly entries: ReadonlySet<Entry>;
  refresh: Refresh | undefined;
}

const NOTHING: Change = { ask: new Set(), released: new Set(), sooner: false };

/** Who wants what: subscribers, the distinct topics they share, and the units that these are asked in. */
export class Table {
  readonly units = new Map<string, Unit>();
  readonly #entries = new Map<string, Entry>();
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #clock: Clock;
  readonly #pollInterval: number;

  constructor(clock: Clock, pollInterval: number) {
    this.#clock = clock;
    this.#pollInterval = pollInterval;
  }

  entry(topic: Topic): Entry | undefined {
    return this.#entries.get(topicKey(topic));
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** The distinct secrets that are read, and those that were found. */
  secrets(): number {
    const names = new Set<string>();
    for (const unit of this.units.values()) {
      if (unit.kind === 'find') {
        unit.found?.names.forEach((name) => names.add(name));
      } else {
        names.add(unit.secret);
      }
    }
    return names.size;
  }

  /** Replaces what a subscriber wants. */
  subscribe(name: string, wants: readonly Subscription[]): Change {
    const before = this.#subscribers.get(name);
    if (before !== undefined && sameWants(before.wants, wants)) {
      return NOTHING;
    }
    const draft: Draft = { ask: new Set(), released: new Set(), sooner: false };
    const entries = this.#join(name, wants, draft);
    for (const entry of before?.entries ?? []) {
      if (!entries.has(entry)) {
        this.#leave(name, entry, draft);
      }
    }
    trimRefresh(before?.refresh, entries);
    if (entries.size === 0) {
      this.#subscribers.delete(name);
    } else {
      this.#subscribers.set(name, { wants, entries, refresh: before?.refresh });
    }
    return draft;
  }

  /** The refresh that a subscriber asked for last. */
  refreshOf(name: string): Refresh | undefined {
    return this.#subscribers.get(name)?.refresh;
  }

  /** Starts a refresh that ends with an answer from call number `call` or a later one, for each unit; undefined for a stranger. */
  startRefresh(name: string, token: string, call: number): Refresh | undefined {
    const subscriber = this.#subscribers.get(name);
    if (subscriber === undefined) {
      return undefined;
    }
    const refresh: Refresh = { subscriber: name, token, waiting: new Map() };
    forget(subscriber.refresh);
    subscriber.refresh = refresh;
    for (const { unit } of subscriber.entries) {
      refresh.waiting.set(unit, call);
      unit.waiters.add(refresh);
    }
    return refresh;
  }

  clear(): void {
    this.units.clear();
    this.#entries.clear();
    this.#subscribers.clear();
  }

  #join(name: string, wants: readonly Subscription[], draft: Draft): Set<Entry> {
    const entries = new Set<Entry>();
    for (const want of wants) {
      const entry = this.#ensure(want.topic, draft);
      const already = entries.has(entry) ? entry.subscribers.get(name) : undefined;
      if (already === undefined || this.#intervalOf(want) < this.#intervalOf(already)) {
        entry.subscribers.set(name, want);
      }
      entries.add(entry);
      this.#retime(entry.unit, draft);
      const { found } = entry.unit;
      if (want.topic.kind === 'find' && found !== undefined && !isLookedAt(found, want.topic)) {
        draft.ask.add(entry.unit);
      }
    }
    return entries;
  }

  #ensure(topic: Topic, draft: Draft): Entry {
    const key = topicKey(topic);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      return known;
    }
    const unit = this.#ensureUnit(topic);
    const entry: Entry = { key, topic, unit, subscribers: new Map(), outcome: undefined };
    unit.entries.set(key, entry);
    this.#entries.set(key, entry);
    draft.ask.add(unit);
    return entry;
  }

  #ensureUnit(topic: Topic): Unit {
    const key = unitKey(topic);
    const known = this.units.get(key);
    if (known !== undefined) {
      return known;
    }
    const unit = createUnit(kindOf(topic), key, topic.kind === 'find' ? '' : topic.secret, this.#clock.monotonic());
    this.units.set(key, unit);
    return unit;
  }

  #leave(name: string, entry: Entry, draft: Draft): void {
    const { unit } = entry;
    entry.subscribers.delete(name);
    if (entry.subscribers.size === 0) {
      this.#entries.delete(entry.key);
      unit.entries.delete(entry.key);
      entry.outcome = undefined;
    }
    if (unit.entries.size > 0) {
      this.#retime(unit, draft);
    } else {
      this.units.delete(unit.key);
      draft.released.add(unit);
    }
  }

  /** The shortest interval rules; the search ends at the first subscriber that asks for the shortest there can be. */
  #retime(unit: Unit, draft: Draft): void {
    let shortest = Number.POSITIVE_INFINITY;
    for (const entry of unit.entries.values()) {
      for (const want of entry.subscribers.values()) {
        shortest = Math.min(shortest, this.#intervalOf(want));
        if (shortest === this.#pollInterval) {
          break;
        }
      }
    }
    if (shortest < unit.interval && unit.asked !== undefined && isIdle(unit)) {
      draft.sooner ||= unit.asked + shortest < unit.due;
      unit.due = Math.min(unit.due, unit.asked + shortest);
    }
    unit.interval = shortest;
  }

  #intervalOf(want: Subscription): number {
    return Math.max(this.#pollInterval, want.refreshInterval ?? 0);
  }
}

/** A refresh waits no longer for what its subscriber dropped. */
function trimRefresh(refresh: Refresh | undefined, entries: ReadonlySet<Entry>): void {
  if (refresh === undefined) {
    return;
  }
  const wanted = new Set([...entries].map((entry) => entry.unit));
  for (const unit of refresh.waiting.keys()) {
    if (!wanted.has(unit)) {
      refresh.waiting.delete(unit);
      unit.waiters.delete(refresh);
    }
  }
}

/** Forgets a refresh: a newer one takes its place. */
function forget(refresh: Refresh | undefined): void {
  if (refresh !== undefined) {
    refresh.waiting.forEach((_, unit) => unit.waiters.delete(refresh));
  }
}

function kindOf(topic: Topic): UnitKind {
  if (topic.kind !== 'value') {
    return topic.kind;
  }
  return topic.selector.kind === 'version' ? 'pinned' : 'labels';
}
