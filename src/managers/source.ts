import type { Clock, Random, Timer } from '../runtime/clock.ts';
import { sleep } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Limiter } from './limiter.ts';
import { createLimiter } from './limiter.ts';
import type { SecretManager } from './manager.ts';
import type { SourceCall } from './source/calls.ts';
import { Calls } from './source/calls.ts';
import { Dispatcher } from './source/dispatcher.ts';
import { Health } from './source/health.ts';
import type { Call } from './source/intake.ts';
import { Intake } from './source/intake.ts';
import type { Batch } from './source/lanes.ts';
import { Lanes } from './source/lanes.ts';
import { load } from './source/load.ts';
import { dueUnits, isBurst, period } from './source/schedule.ts';
import { Table } from './source/table.ts';
import { labelsKey, versionsKey } from './source/topics.ts';
import { ageTrouble, staleDeadline, worsen } from './source/trouble.ts';
import type { Result, Unit } from './source/unit.ts';
import { isAnswered, isIdle, readingOf } from './source/unit.ts';
import type { Reading, Source, Subscription, Topic, TopicResult } from './topic.ts';

export type { SourceCall } from './source/calls.ts';

export interface SourceOptions {
  readonly manager: SecretManager;
  /** Milliseconds between two looks at the same secret, unless its subscribers want it slower. */
  readonly pollInterval: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A reading of one of the subscriber's topics changed. Not called from within a method of the source. */
  readonly onChange: (subscriber: string) => void;
  readonly onCall?: (call: SourceCall) => void;
  /** How fast the manager may be asked; default: 20 calls a second after a burst of 40. */
  readonly limiter?: Limiter;
}

const RATE = 20;
const BURST = 40;

/** Makes the source of one manager session. It asks nothing until somebody subscribes, and leaves the manager open when closed. */
export function createSource(options: SourceOptions): Source {
  return new PollingSource(options);
}

class PollingSource implements Source {
  readonly #options: SourceOptions;
  readonly #clock: Clock;
  readonly #table: Table;
  readonly #lanes: Lanes;
  readonly #health: Health;
  readonly #limiter: Limiter;
  readonly #calls: Calls;
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;
  readonly #batchSize: number;
  #nextCall = 1;
  /** From anywhere, so that several operators do not ask in step. */
  #bursts: number;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SourceOptions) {
    const { manager, clock, random, logger, pollInterval } = options;
    this.#batchSize = Math.max(1, manager.capabilities.batchSize);
    const lanes = new Lanes(this.#batchSize);
    const health = new Health(clock, random);
    const table = new Table(clock, pollInterval);
    this.#options = options;
    this.#clock = clock;
    this.#table = table;
    this.#bursts = random();
    this.#lanes = lanes;
    this.#health = health;
    this.#intake = new Intake({ clock, logger, table, lanes, health });
    this.#limiter = options.limiter ?? createLimiter({ clock, rate: RATE, burst: BURST });
    this.#calls = new Calls({ manager, clock, logger, onCall: options.onCall ?? (() => undefined) });
    this.#dispatcher = new Dispatcher({
      clock,
      lanes,
      health,
      limiter: this.#limiter,
      run: (batch) => this.#run(batch),
    });
  }

  subscribe(subscriber: string, wants: readonly Subscription[]): void {
    if (this.#closed) {
      return;
    }
    const { ask, released, sooner } = this.#table.subscribe(subscriber, wants);
    released.forEach((unit) => this.#lanes.remove(unit));
    if (ask.size > 0) {
      this.#askNow(ask, true);
      this.#tellNewcomer(subscriber, ask);
    }
    if (sooner) {
      this.#arm();
    }
  }

  read<T extends Topic>(topic: T): Reading<TopicResult<T>>;
  read(topic: Topic): Reading<Result> {
    const entry = this.#table.entry(topic);
    return entry === undefined ? { state: 'pending' } : readingOf(entry, topic);
  }

  refresh(subscriber: string, token: string): 'pending' | 'done' {
    const before = this.#table.refreshOf(subscriber);
    const refresh = before?.token === token ? before : this.#table.startRefresh(subscriber, token, this.#nextCall);
    if (refresh === undefined || refresh.waiting.size === 0) {
      return 'done';
    }
    if (refresh !== before) {
      this.#askNow(refresh.waiting.keys(), true);
    }
    return 'pending';
  }

  look(secret: string, at: 'latest' | 'everything' = 'latest'): void {
    const all = at === 'everything';
    const moving = new Set([labelsKey(secret), versionsKey(secret)]);
    const units = [...this.#table.units.values()].filter(
      (unit) => moving.has(unit.key) || (all && unit.secret === secret) || mayFind(unit, secret, all),
    );
    this.#askNow(units, false);
  }

  usage(): { readonly secrets: number; readonly subscribers: number } {
    return { secrets: this.#table.secrets(), subscribers: this.#table.subscribers };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#dispatcher.close();
    this.#calls.close();
    this.#table.clear();
  }

  /** Who comes to what is in trouble hears so soon, and not only when the trouble changes; the same where the manager wants to be left alone. */
  #tellNewcomer(subscriber: string, units: ReadonlySet<Unit>): void {
    const held = this.#health.heldBack();
    if (held === undefined && [...units].every((unit) => unit.trouble === undefined)) {
      return;
    }
    this.#clock.after(0, () => {
      const told = new Set([subscriber]);
      for (const unit of units) {
        if (held !== undefined && unit.trouble === undefined && !isAnswered(unit)) {
          worsen(unit, held, this.#clock, told);
        }
      }
      this.#announce(told);
    });
  }

  #askNow(units: Iterable<Unit>, news: boolean): void {
    const now = this.#clock.monotonic();
    const asked = [...units];
    for (const unit of asked) {
      unit.due = Math.min(unit.due, now);
    }
    this.#dispatcher.enqueue(asked, 'urgent', news);
  }

  /** Asks for a batch and takes in what was said. */
  async #run(batch: Batch): Promise<void> {
    const call = this.#begin(batch);
    const report = await load(this.#calls, batch, () => this.#limited());
    for (const unit of batch.units) {
      unit.inFlight -= 1;
    }
    if (this.#closed) {
      return;
    }
    const told = this.#intake.take(batch, call, report);
    this.#arm();
    this.#announce(told);
  }

  #begin(batch: Batch): Call {
    const now = this.#clock.monotonic();
    const random = this.#options.random();
    const burst = batch.units.some((unit) => isBurst(unit, now)) ? this.#bursts++ : undefined;
    for (const unit of batch.units) {
      unit.asked = now;
      unit.inFlight += 1;
    }
    const number = this.#nextCall++;
    return { number, startedAt: now, probe: this.#health.failing, period: period(burst, random), random };
  }

  /** Sets the one timer to whatever comes first. */
  #arm(): void {
    this.#timer?.cancel();
    let next = Number.POSITIVE_INFINITY;
    for (const unit of this.#table.units.values()) {
      next = Math.min(next, staleDeadline(unit), isIdle(unit) ? unit.due : next);
    }
    if (!this.#closed && Number.isFinite(next)) {
      this.#timer = this.#clock.after(Math.max(0, next - this.#clock.monotonic()), () => this.#tick());
    }
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    const told = new Set<string>();
    for (const unit of this.#table.units.values()) {
      ageTrouble(unit, now, told);
    }
    const due = dueUnits(this.#table.units.values(), now, this.#batchSize);
    const first = due.filter((unit) => !isAnswered(unit));
    this.#dispatcher.enqueue(first, 'urgent');
    this.#dispatcher.enqueue(due.filter(isAnswered), 'sweep');
    this.#arm();
    this.#announce(told);
  }

  async #limited(): Promise<void> {
    for (let wait = this.#limiter.wait(); wait > 0 && !this.#closed; wait = this.#limiter.wait()) {
      await sleep(this.#clock, wait, this.#calls.signal);
    }
    this.#limiter.take();
  }

  #announce(told: ReadonlySet<string>): void {
    for (const subscriber of told) {
      if (this.#closed) {
        return;
      }
      try {
        this.#options.onChange(subscriber);
      } catch (error) {
        const type = error instanceof Error ? error.name : typeof error;
        this.#options.logger.error('a subscriber of a source failed', { subscriber, type });
      }
    }
  }
}

/** A changed secret may be new to a find topic; of those that it has, only the value changes, unless its tags may have, too. */
function mayFind(unit: Unit, secret: string, anything: boolean): boolean {
  const [entry] = unit.entries.values();
  return (
    entry?.topic.kind === 'find' &&
    secret.startsWith(entry.topic.query.prefix) &&
    (anything || unit.found?.names.has(secret) !== true)
  );
}
