import { type Clock, type Random, sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './client.ts';
import { LeaseRecord } from './lease-record.ts';

/** Milliseconds. Each has to be well above the next. */
export interface LeaseDurations {
  /** For so long after its last renewal nobody else takes the lease. Default 15,000. */
  readonly lease: number;
  /** A leader that could not renew for so long stops leading. Default 10,000. */
  readonly renewDeadline: number;
  /** Between two tries to take or to renew. Default 2,000. */
  readonly retryPeriod: number;
}

export interface ElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: different for every process, also for a restart of the same pod. */
  readonly identity: string;
  readonly durations?: Partial<LeaseDurations>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ElectionRun {
  /** Stops leading, or waiting for it. */
  readonly signal: AbortSignal;
  /**
   * What a leader does. Its signal aborts on a stop, and when leadership is lost; it should settle soon after. On a stop the lease is
   * renewed until it settles and released then, so that the next leader never overlaps with it.
   */
  readonly onStartedLeading: (signal: AbortSignal) => Promise<void>;
}

export interface Elector {
  readonly leading: boolean;
  /**
   * Waits for the lease and leads. `stopped`: the signal aborted, or the work ended by itself, and the lease is free again. `lost`:
   * somebody else may lead already; the process should exit. Rejects with what the work rejects with, after the lease is released.
   */
  run(run: ElectionRun): Promise<'lost' | 'stopped'>;
}

const defaultDurations: LeaseDurations = { lease: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };
const releaseDeadline = 3_000;

/** Leader election by a Lease, as client-go does it: others' renewals are timed by our own monotonic clock, never by theirs. */
export function createElector(options: ElectorOptions): Elector {
  const durations = { ...defaultDurations, ...options.durations };
  if (durations.lease <= durations.renewDeadline || durations.renewDeadline <= durations.retryPeriod * 1.2) {
    throw new RangeError('lease durations: lease has to exceed renewDeadline, and that 1.2 times retryPeriod');
  }
  return new LeaseElector(options, durations);
}

class LeaseElector implements Elector {
  readonly #options: ElectorOptions;
  readonly #durations: LeaseDurations;
  readonly #record: LeaseRecord;
  #leading = false;

  constructor(options: ElectorOptions, durations: LeaseDurations) {
    this.#options = options;
    this.#durations = durations;
    this.#record = new LeaseRecord(options, durations.lease);
  }

  get leading(): boolean {
    return this.#leading;
  }

  async run(run: ElectionRun): Promise<'lost' | 'stopped'> {
    const acquired = await this.#acquire(run.signal);
    if (acquired === undefined || run.signal.aborted) {
      await this.#release();
      return 'stopped';
    }
    this.#options.logger.info('This process leads now', { identity: this.#options.identity });
    this.#leading = true;
    try {
      return await this.#lead(run, acquired);
    } finally {
      this.#leading = false;
    }
  }

  /** The monotonic time just before the lease was taken, or undefined when `signal` aborted first. */
  async #acquire(signal: AbortSignal): Promise<number | undefined> {
    const { clock, random, logger } = this.#options;
    const { retryPeriod } = this.#durations;
    while (!signal.aborted) {
      const started = clock.monotonic();
      try {
        if (await this.#record.tryAcquire(signal, this.#callDeadline())) {
          return started;
        }
      } catch (error) {
        if (!signal.aborted) {
          logger.warn('The lease could not be read or taken', describeError(error));
        }
      }
      await sleep(clock, retryPeriod * (1 + 1.2 * random()), signal);
    }
    return undefined;
  }

  async #lead(run: ElectionRun, acquired: number): Promise<'lost' | 'stopped'> {
    const { logger } = this.#options;
    const inner = new AbortController();
    const ended = new AbortController();
    const stop = (): void => inner.abort(run.signal.reason);
    run.signal.addEventListener('abort', stop, { once: true });
    const work = startWork(run, inner.signal).finally(() => ended.abort());
    // Where leadership is lost nobody waits for the work any more.
    work.catch((error: unknown) => logger.error("The leader's work failed", describeError(error)));
    const outcome = await this.#renewUntil(ended.signal, acquired);
    run.signal.removeEventListener('abort', stop);
    if (outcome === 'lost') {
      this.#leading = false;
      logger.error('This process does not lead any more', { identity: this.#options.identity });
      inner.abort(new Error('leadership was lost'));
      return 'lost';
    }
    await this.#release();
    await work;
    return 'stopped';
  }

  /** Renews until the work ended, or until the lease is somebody else's or was not renewed in time. */
  async #renewUntil(ended: AbortSignal, acquired: number): Promise<'lost' | 'ended'> {
    const { clock } = this.#options;
    const { retryPeriod, renewDeadline } = this.#durations;
    let renewed = acquired;
    for (;;) {
      const untilLost = Math.max(0, renewed + renewDeadline - clock.monotonic());
      await sleep(clock, Math.min(retryPeriod, untilLost), ended);
      if (ended.aborted) {
        return 'ended';
      }
      const started = clock.monotonic();
      const left = renewed + renewDeadline - started;
      const answer = left <= 0 ? 'taken' : await this.#tryRenew(ended, left);
      if (answer === 'taken') {
        return 'lost';
      }
      if (answer === 'renewed') {
        renewed = started;
      }
    }
  }

  async #tryRenew(ended: AbortSignal, left: number): Promise<'renewed' | 'taken' | 'failed'> {
    const { clock, logger } = this.#options;
    const call = new AbortController();
    const abort = (): void => call.abort();
    // The client has a deadline too, but a leader must not depend on it.
    const timer = clock.after(left, abort);
    ended.addEventListener('abort', abort, { once: true });
    try {
      return (await this.#record.tryRenew(call.signal, Math.min(left, this.#callDeadline()))) ? 'renewed' : 'taken';
    } catch (error) {
      if (!ended.aborted) {
        logger.warn('The lease could not be renewed', describeError(error));
      }
      return 'failed';
    } finally {
      timer.cancel();
      ended.removeEventListener('abort', abort);
    }
  }

  /** Several tries fit into the renew deadline. */
  #callDeadline(): number {
    return this.#durations.renewDeadline / 2;
  }

  async #release(): Promise<void> {
    const all = new AbortController();
    const timer = this.#options.clock.after(releaseDeadline, () => all.abort());
    try {
      await this.#record.release(all.signal, releaseDeadline);
    } catch (error) {
      const message = 'The lease could not be released; another process takes it when it expires';
      this.#options.logger.warn(message, describeError(error));
    } finally {
      timer.cancel();
    }
  }
}

/** Async, so that work that throws at once rejects instead. */
async function startWork(run: ElectionRun, signal: AbortSignal): Promise<void> {
  await run.onStartedLeading(signal);
}
