import { whenAborted } from './abort.ts';
import { type Clock, sleep } from './clock.ts';
import { describeError, safeMessage } from './errors.ts';
import { type CheckResult, healthy, unhealthy } from './health.ts';
import type { Logger } from './logger.ts';

/** Copies of what the API server has. */
export interface Caches {
  /** Keeps them current until `signal` aborts. Must not resolve before. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when all hold everything that there is, or when `signal` aborts. */
  whenSynced(signal: AbortSignal): Promise<void>;
}

/** What does the work; a `Controller` is one. */
export interface Workers {
  /** Works until `stop` aborts, then finishes what is in flight and resolves; `abort` cuts that short. */
  run(stop: AbortSignal, abort: AbortSignal): Promise<void>;
}

/**
 * Waits for leadership, calls `onLeading`, and keeps the lease until `signal` aborts and `onLeading` has settled; then releases it and resolves
 * with `stopped`. Where it can't keep the lease it aborts the signal that `onLeading` got, and resolves with `lost`.
 */
export type Lead = (
  signal: AbortSignal,
  onLeading: (leading: AbortSignal) => Promise<void>,
) => Promise<'lost' | 'stopped'>;

export interface LifecycleParts {
  /** The server of probes and metrics, if there is one. */
  readonly http?: { start(): Promise<unknown>; stop(): Promise<void> };
  readonly caches: Caches;
  readonly lead: Lead;
  readonly workers: readonly Workers[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that the work in flight gets to finish when the process is stopped. */
  readonly gracePeriod: number;
}

/** Why a process ended in good order. After `lost leadership` it must exit with an error and be restarted. */
export type ExitReason = 'stopped' | 'lost leadership';

export interface Lifecycle {
  /**
   * Runs until `signal` aborts or the leadership is lost. Whatever happens, what was started is stopped in order.
   * @throws what a part failed with: a start that is impossible, or a part that ended without being told to.
   */
  run(signal: AbortSignal): Promise<ExitReason>;
  /** For `/readyz`: fails before the caches are synced, and again once the stop began. A standby is ready. */
  readiness(): CheckResult;
}

/**
 * The order in which a process starts and stops:
 *
 *     HTTP -> caches run -> caches synced -> leader -> workers
 *     workers (what is in flight gets the grace period) -> caches -> HTTP -> the lease is released
 *
 * Caches run before leadership, so that a standby takes over warm. The lease is kept while the workers finish and released last,
 * so that the next leader never works beside this one. Lost leadership gives the work in flight no grace.
 */
export function createLifecycle(parts: LifecycleParts): Lifecycle {
  let readiness = unhealthy('the caches are not synced yet');
  return {
    run: (signal) => run(parts, signal, (result) => (readiness = result)),
    readiness: () => readiness,
  };
}

/** Leadership for a process that is alone: it leads at once and until it is stopped. */
export const leadAlone: Lead = async (signal, onLeading) => {
  await onLeading(signal);
  await whenAborted(signal);
  return 'stopped';
};

/** Milliseconds that a part gets to end after it was told to, before the rest goes on without it. */
const patience = 3_000;

async function run(parts: LifecycleParts, stop: AbortSignal, ready: (state: CheckResult) => void): Promise<ExitReason> {
  // Clock timers don't keep a process alive; while all waits are such timers, nothing else would.
  const hold = setInterval(() => undefined, 2 ** 30);
  try {
    await parts.http?.start();
    const stages = new Stages(parts, stop);
    try {
      return await stages.up(() => ready(healthy));
    } finally {
      ready(unhealthy('the process is stopping'));
      await stages.down();
    }
  } finally {
    clearInterval(hold);
  }
}

/** All that runs, and how to end each part of it. */
class Stages {
  readonly #parts: LifecycleParts;
  readonly #stop: AbortSignal;
  readonly #stopWork = new AbortController();
  readonly #abortWork = new AbortController();
  readonly #stopCaches = new AbortController();
  readonly #stopLease = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  readonly #lost = Promise.withResolvers<'lost'>();
  #work: Promise<unknown> = Promise.resolve();
  #caches: Promise<unknown> = Promise.resolve();
  #lease: Promise<unknown> = Promise.resolve();

  constructor(parts: LifecycleParts, stop: AbortSignal) {
    this.#parts = parts;
    this.#stop = stop;
    // It is looked at by a race that may be over when it fails; that must not end the process.
    this.#failed.promise.catch(() => undefined);
  }

  async up(synced: () => void): Promise<ExitReason> {
    const { caches, lead } = this.#parts;
    const stopped = whenAborted(this.#stop).then(() => 'stopped' as const);
    this.#caches = this.#watch('the caches', caches.run(this.#stopCaches.signal), this.#stopCaches.signal);
    await Promise.race([caches.whenSynced(this.#stop), stopped, this.#failed.promise]);
    if (this.#stop.aborted) {
      return 'stopped';
    }
    synced();
    this.#parts.logger.info('caches are synced');
    const lease = lead(this.#stopLease.signal, (leading) => this.#onLeading(leading));
    this.#lease = lease;
    const outcome = await Promise.race([lease, stopped, this.#lost.promise, this.#failed.promise]);
    if (outcome === 'stopped' && !this.#stop.aborted) {
      throw new LifecycleError('the leader election ended without being told to');
    }
    return outcome === 'lost' ? 'lost leadership' : 'stopped';
  }

  async down(): Promise<void> {
    const { clock, gracePeriod, http, logger } = this.#parts;
    this.#stopWork.abort();
    const grace = this.#abortWork.signal.aborted ? 0 : gracePeriod;
    if (!(await settles(this.#work, grace, clock))) {
      logger.warn('work in flight is cut short', { gracePeriodMs: grace });
      this.#abortWork.abort();
      await this.#end('the workers', this.#work);
    }
    this.#stopCaches.abort();
    await this.#end('the caches', this.#caches);
    await this.#end('the HTTP server', http?.stop() ?? Promise.resolve());
    this.#stopLease.abort();
    await this.#end('the leader election', this.#lease);
  }

  async #onLeading(leading: AbortSignal): Promise<void> {
    if (this.#stop.aborted || leading.aborted) {
      return;
    }
    const lost = this.#whenLost(leading);
    const runs = this.#parts.workers.map((one) => one.run(this.#stopWork.signal, this.#abortWork.signal));
    this.#work = this.#watch('the workers', Promise.all(runs), this.#stopWork.signal);
    await this.#work;
    // The lease is kept until everything else has ended.
    await lost;
  }

  /** Somebody else may lead from now on, so there is no grace. On a stop the same happens, but when all work has ended. */
  async #whenLost(leading: AbortSignal): Promise<void> {
    await whenAborted(leading);
    this.#stopWork.abort();
    this.#abortWork.abort();
    this.#lost.resolve('lost');
  }

  /** Resolves when `running` settles. That it failed, or ended before `told`, is a failure of the whole. */
  async #watch(what: string, running: Promise<unknown>, told: AbortSignal): Promise<void> {
    try {
      await running;
      if (!told.aborted) {
        this.#failed.reject(new LifecycleError(`${what} ended without being told to`));
      }
    } catch (error) {
      this.#failed.reject(error);
    }
  }

  async #end(what: string, ending: Promise<unknown>): Promise<void> {
    try {
      if (!(await settles(ending, patience, this.#parts.clock))) {
        this.#parts.logger.error('a part of the process does not end and is left behind', { part: what });
      }
    } catch (error) {
      this.#parts.logger.error('a part of the process ended with an error', { part: what, ...describeError(error) });
    }
  }
}

class LifecycleError extends Error {
  override readonly name = 'LifecycleError';
  readonly [safeMessage] = true;
}

/** True when `promise` resolves within `ms` milliseconds, false when that is over; rejects as `promise` does. */
async function settles(promise: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(clock, ms, over.signal).then(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    over.abort();
  }
}
