import type { Clock, Random } from './clock.ts';
import type { ControllerMetrics, ControllerObserver } from './controller-metrics.ts';
import { formatDuration } from './duration.ts';
import { describeError, safeMessage, TerminalError } from './errors.ts';
import { type CheckResult, healthy, unhealthy } from './health.ts';
import type { Logger } from './logger.ts';
import { createWorkQueue, type Priority, type WorkQueue } from './queue.ts';
import { parseRequestKey, type Request, requestKey } from './request.ts';

/** What a reconcile asks for when it went well. */
export interface ReconcileOutcome {
  /** Milliseconds after which the request is to be reconciled again, even if nothing happens. */
  readonly requeueAfter?: number;
}

/**
 * Brings the world in line with one object, whatever happened to either. Anything thrown is retried with backoff, except a `TerminalError`.
 * `signal` aborts when the deadline has passed or the process must stop; a reconcile that does not heed it holds its key and its worker.
 */
export type Reconcile = (request: Request, signal: AbortSignal) => Promise<ReconcileOutcome>;

export interface ControllerOptions {
  /** Names the controller in logs and metrics. Unique in the process. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many reconciles run at once. Default 16. */
  readonly concurrency?: number;
  /** Milliseconds that one reconcile may take. Default 60 s. */
  readonly deadline?: number;
  /** Milliseconds before the first retry, and at most. Default 5 ms and 60 s. */
  readonly backoff?: { readonly base: number; readonly cap: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
}

export interface Controller {
  readonly name: string;
  /** Wants `request` reconciled now. Can be called before `run`: the request waits. Default priority `high`. */
  enqueue(request: Request, priority?: Priority): void;
  /** Wants `request` reconciled in `ms` milliseconds at the latest. */
  enqueueAfter(request: Request, ms: number): void;
  /**
   * Reconciles until `stop` aborts, then finishes what is in flight, starts nothing more, and resolves. `abort` cuts that short: it
   * aborts the signals of the reconciles in flight. Can be run once.
   */
  run(stop: AbortSignal, abort?: AbortSignal): Promise<void>;
  /** Fails when a reconcile runs on long after its deadline: its key would never be looked at again, so only a restart helps. */
  health(): CheckResult;
}

export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

/** Milliseconds after the deadline in which a reconcile must have noticed. */
const stuckAfter = 30_000;

class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly [safeMessage] = true;
}

class QueueController implements Controller {
  readonly name: string;
  readonly #reconcile: Reconcile;
  readonly #concurrency: number;
  readonly #deadline: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: ControllerObserver;
  readonly #queue: WorkQueue;
  readonly #aborters = new Set<AbortController>();
  #abort: AbortSignal | undefined;

  constructor(options: ControllerOptions) {
    const { name, concurrency = 16, deadline = 60_000, clock, random, backoff } = options;
    this.name = name;
    this.#reconcile = options.reconcile;
    this.#concurrency = concurrency;
    this.#deadline = deadline;
    this.#clock = clock;
    this.#logger = options.logger.child({ controller: name });
    this.#observer = options.metrics.observe(name, concurrency);
    this.#queue = createWorkQueue({ clock, random, observer: this.#observer.queue, ...(backoff && { backoff }) });
    this.#observer.watch(this.#queue);
  }

  enqueue(request: Request, priority?: Priority): void {
    this.#queue.add(requestKey(request), priority);
  }

  enqueueAfter(request: Request, ms: number): void {
    this.#queue.addAfter(requestKey(request), ms);
  }

  async run(stop: AbortSignal, abort?: AbortSignal): Promise<void> {
    this.#abort = abort;
    onAbort(stop, () => void this.#queue.shutDown());
    onAbort(abort, () => this.#aborters.forEach((aborter) => aborter.abort(abort?.reason)));
    await Promise.all(Array.from({ length: this.#concurrency }, () => this.#work()));
  }

  health(): CheckResult {
    const { longest } = this.#queue.inFlight();
    if (longest <= this.#deadline + stuckAfter) {
      return healthy;
    }
    const [ran, limit] = [longest, this.#deadline].map((ms) => formatDuration(Math.round(ms / 1_000) * 1_000));
    return unhealthy(`a reconcile of ${this.name} has run for ${ran} and ignores its deadline of ${limit}`);
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.next(); key !== undefined; key = await this.#queue.next()) {
      const started = this.#clock.monotonic();
      this.#observer.started();
      try {
        const outcome = await this.#withDeadline(parseRequestKey(key));
        this.#succeeded(key, outcome, started);
      } catch (error) {
        this.#failed(key, error, started);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #withDeadline(request: Request): Promise<ReconcileOutcome> {
    const aborter = new AbortController();
    this.#aborters.add(aborter);
    if (this.#abort?.aborted === true) {
      aborter.abort(this.#abort.reason);
    }
    const timer = this.#clock.after(this.#deadline, () => {
      aborter.abort(new DeadlineError(`the reconcile took longer than ${formatDuration(this.#deadline)}`));
    });
    try {
      return await this.#reconcile(request, aborter.signal);
    } finally {
      timer.cancel();
      this.#aborters.delete(aborter);
    }
  }

  #succeeded(key: string, { requeueAfter }: ReconcileOutcome, started: number): void {
    this.#queue.forget(key);
    if (requeueAfter !== undefined) {
      this.#queue.addAfter(key, requeueAfter);
    }
    this.#observer.ended(requeueAfter === undefined ? 'success' : 'requeue_after', this.#clock.monotonic() - started);
  }

  #failed(key: string, error: unknown, started: number): void {
    this.#observer.ended('error', this.#clock.monotonic() - started);
    const fields = { ...parseRequestKey(key), ...describeError(error) };
    if (this.#abort?.aborted === true) {
      this.#logger.info('reconcile was cut short by the stop', fields);
    } else if (error instanceof TerminalError) {
      this.#queue.forget(key);
      this.#observer.gaveUp();
      this.#logger.error('reconcile failed and is not retried until the object changes', fields);
    } else {
      const retryInMs = Math.round(this.#queue.retry(key));
      this.#logger.warn('reconcile failed and is retried', { ...fields, retryInMs });
    }
  }
}

function onAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal?.aborted === true) {
    callback();
    return;
  }
  signal?.addEventListener('abort', callback, { once: true });
}
