import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ManagerError } from '../errors.ts';
import type { Health } from './health.ts';
import { retryDelay } from './health.ts';
import type { Batch, Lanes } from './lanes.ts';
import type { Report } from './load.ts';
import type { Answer } from './outcomes.ts';
import { hasMissing, install } from './outcomes.ts';
import { intervalOf, missingDue } from './schedule.ts';
import type { Table } from './table.ts';
import { endTrouble, worsen } from './trouble.ts';
import type { Unit } from './unit.ts';
import { isAnswered } from './unit.ts';

/** One call: its number, and how what it asks for comes back. */
export interface Call {
  readonly number: number;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** Whether the manager could not be asked when it began. */
  readonly probe: boolean;
  /** The part of its interval after which a unit of the batch is due again. */
  readonly period: number;
  /** One number for the whole batch, so that it stays together. */
  readonly random: number;
}

export interface IntakeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly table: Table;
  readonly lanes: Lanes;
  readonly health: Health;
}

/** Takes in what calls said: results, trouble, and when to ask again. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Returns the subscribers that can see a difference. */
  take(batch: Batch, call: Call, report: Report): ReadonlySet<string> {
    const told = new Set<string>();
    if (report.asked) {
      this.#takeAnswers(report.units, call, told);
    } else {
      this.#takeFailure(batch, call, report.error, told);
    }
    return told;
  }

  #takeAnswers(answers: ReadonlyMap<Unit, Answer | ManagerError>, call: Call, told: Set<string>): void {
    const { health, logger } = this.#options;
    const ended = health.answered(call.probe);
    if (ended > 0) {
      logger.info('the secret manager answers again', { failedTries: ended });
    }
    for (const [unit, answer] of answers) {
      if (!this.#counts(unit, call)) {
        continue;
      }
      if (answer instanceof ManagerError) {
        this.#troubled(unit, call, answer, told);
      } else {
        install(unit, answer, told);
        this.#answered(unit, call, answer, told);
      }
    }
    // A single failed try may be the fault of its own batch, which then keeps its own backoff.
    if (ended > 1) {
      this.#hurry();
    }
  }

  #takeFailure(batch: Batch, call: Call, error: ManagerError, told: Set<string>): void {
    const { health, lanes, logger } = this.#options;
    const isTry = health.failed(error, call.probe);
    if (isTry && health.tries === 1) {
      logger.warn('the secret manager could not be asked', { reason: error.reason, error: error.message });
    }
    for (const unit of batch.units) {
      if (this.#counts(unit, call)) {
        this.#troubled(unit, call, error, told);
      }
    }
    if (isTry && health.tries > 1) {
      lanes.settleNews();
    }
    if (isTry) {
      this.#holdUp(batch, call, error, told);
    }
  }

  #answered(unit: Unit, call: Call, answer: Answer, told: Set<string>): void {
    unit.reported = call.number;
    unit.misses = hasMissing(answer) ? unit.misses + 1 : 0;
    unit.due = unit.misses > 0 ? missingDue(unit, call.startedAt) : call.startedAt + intervalOf(unit) * call.period;
    endTrouble(unit, told);
    settleRefreshes(unit, call, told);
  }

  #troubled(unit: Unit, call: Call, error: ManagerError, told: Set<string>): void {
    const { clock } = this.#options;
    unit.reported = call.number;
    worsen(unit, error, clock, told);
    unit.due = clock.monotonic() + retryDelay(error, unit.trouble?.tries ?? 1, () => call.random);
    settleRefreshes(unit, call, told);
  }

  /** What is due and can't be asked shares the trouble; who knows nothing yet waits for a second failure before it hears of one. */
  #holdUp(batch: Batch, call: Call, error: ManagerError, told: Set<string>): void {
    const { clock, health, table } = this.#options;
    const now = clock.monotonic();
    const asked = new Set(batch.units);
    for (const unit of table.units.values()) {
      const heldUp = unit.inFlight === 0 && unit.due <= now && !asked.has(unit);
      if (heldUp && (health.tries > 1 || isAnswered(unit))) {
        worsen(unit, error, clock, told);
        settleRefreshes(unit, call, told);
      }
    }
  }

  /** After an outage nobody waits for the rest of a backoff. */
  #hurry(): void {
    const now = this.#options.clock.monotonic();
    for (const unit of this.#options.table.units.values()) {
      if (unit.trouble !== undefined) {
        unit.due = Math.min(unit.due, now);
      }
    }
  }

  /** An older answer never replaces a newer one, and nobody wants what was released. */
  #counts(unit: Unit, call: Call): boolean {
    return call.number > unit.reported && this.#options.table.units.get(unit.key) === unit;
  }
}

/** A refresh is done with a unit when a call that began after it said something. */
function settleRefreshes(unit: Unit, call: Call, told: Set<string>): void {
  for (const refresh of unit.waiters) {
    if ((refresh.waiting.get(unit) ?? 0) <= call.number) {
      refresh.waiting.delete(unit);
      unit.waiters.delete(refresh);
      if (refresh.waiting.size === 0) {
        told.add(refresh.subscriber);
      }
    }
  }
}
