import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Limiter } from '../limiter.ts';
import type { Health } from './health.ts';
import type { Batch, Lanes } from './lanes.ts';
import type { Lane, Unit } from './unit.ts';

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly lanes: Lanes;
  readonly health: Health;
  readonly limiter: Limiter;
  /** Asks for a batch and takes in the answer. Never rejects. */
  readonly run: (batch: Batch) => Promise<void>;
}

/** Calls in flight at once: of values, and of everything else, so that slow lists hold up no value. */
const ACCESS_CALLS = 4;
const LIST_CALLS = 2;
/** An urgent batch that is not full goes once nothing more came for so long, and at the latest after `GATHER_AT_MOST`. */
const GATHER_QUIET = 20;
const GATHER_AT_MOST = 100;

/** Decides when which batch goes: gathers what is asked for at about the same time, and heeds the limiter and the manager's health. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  #accessCalls = 0;
  #listCalls = 0;
  #openedAt = 0;
  #lastAt = 0;
  #gathering: Timer | undefined;
  #waking: Timer | undefined;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Queues units; full batches go at once. `news` says that somebody waits who has heard nothing yet. */
  enqueue(units: Iterable<Unit>, lane: Lane, news = false): void {
    for (const unit of units) {
      this.#options.lanes.add(unit, lane, news);
      if (lane === 'urgent') {
        this.#gather();
      }
    }
    this.pump();
  }

  /** Lets go whatever may go now. */
  pump(): void {
    const { lanes, health, limiter } = this.#options;
    while (!this.#closed && lanes.size > 0) {
      const access = this.#mayStart(this.#accessCalls, ACCESS_CALLS);
      const lists = this.#mayStart(this.#listCalls, LIST_CALLS);
      if (!access && !lists) {
        return;
      }
      const wait = Math.max(health.wait(lanes.hasNews), limiter.wait());
      if (wait > 0) {
        this.#wakeIn(wait);
        return;
      }
      const batch = lanes.take({ access, lists, partial: this.#gathering === undefined });
      if (batch === undefined) {
        return;
      }
      limiter.take();
      void this.#start(batch);
    }
  }

  close(): void {
    this.#closed = true;
    this.#gathering?.cancel();
    this.#waking?.cancel();
  }

  /** While the manager fails, one call at a time asks whether it is back. */
  #mayStart(inFlight: number, most: number): boolean {
    return this.#options.health.failing ? this.#accessCalls + this.#listCalls === 0 : inFlight < most;
  }

  async #start(batch: Batch): Promise<void> {
    this.#count(batch, 1);
    await this.#options.run(batch);
    this.#count(batch, -1);
    this.pump();
  }

  #count(batch: Batch, by: number): void {
    if (batch.access) {
      this.#accessCalls += by;
    } else {
      this.#listCalls += by;
    }
  }

  #gather(): void {
    const now = this.#options.clock.monotonic();
    this.#lastAt = now;
    if (this.#gathering === undefined) {
      this.#openedAt = now;
      this.#gathering = this.#options.clock.after(GATHER_QUIET, () => this.#endGathering());
    }
  }

  #endGathering(): void {
    const now = this.#options.clock.monotonic();
    const end = Math.min(this.#lastAt + GATHER_QUIET, this.#openedAt + GATHER_AT_MOST);
    if (end > now) {
      this.#gathering = this.#options.clock.after(end - now, () => this.#endGathering());
      return;
    }
    this.#gathering = undefined;
    this.pump();
  }

  #wakeIn(ms: number): void {
    this.#waking?.cancel();
    this.#waking = this.#options.clock.after(ms, () => {
      this.#waking = undefined;
      this.pump();
    });
  }
}
