import { backoff } from '../../runtime/backoff.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { ManagerError } from '../errors.ts';

const BASE = 2_000;
const CAP = 60_000;
/** However long a backend asks us to wait. */
const RETRY_AFTER_CAP = 5 * 60_000;
/** What a new reference waits at least after a failure. */
const NEWS_WAIT = 500;

/** Milliseconds to wait after `tries` failures in a row: 1 s to 60 s, and at least what the backend asked for (at most five minutes). */
export function retryDelay(error: ManagerError, tries: number, random: Random): number {
  const asked = Math.min(error.retryAfter ?? 0, RETRY_AFTER_CAP);
  return Math.max(asked, backoff({ base: BASE, cap: CAP, random }, tries));
}

/** Whether the manager can be asked at all, learned from the calls. While it can't, one call at a time is a probe. */
export class Health {
  readonly #clock: Clock;
  readonly #random: Random;
  #tries = 0;
  #failedAt = 0;
  #retryAt = 0;
  #notBefore = 0;
  #lastError: ManagerError | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get failing(): boolean {
    return this.#tries > 0;
  }

  /** Failed tries in a row. */
  get tries(): number {
    return this.#tries;
  }

  /** Notes a failed call. Calls that began before the first failure count as part of it: true where this is a new try. */
  failed(error: ManagerError, probe: boolean): boolean {
    const now = this.#clock.monotonic();
    this.#lastError = error;
    this.#notBefore = Math.max(this.#notBefore, now + Math.min(error.retryAfter ?? 0, RETRY_AFTER_CAP));
    if (this.failing && !probe) {
      return false;
    }
    this.#tries += 1;
    this.#failedAt = now;
    this.#retryAt = now + retryDelay(error, this.#tries, this.#random);
    return true;
  }

  /** The last error, while the backend's own wish keeps even news waiting for longer than usual. */
  heldBack(): ManagerError | undefined {
    return this.#notBefore - this.#clock.monotonic() > NEWS_WAIT ? this.#lastError : undefined;
  }

  /** Notes an answered call; only a probe ends an outage. Returns after how many failed tries it ended; 0 where nothing ended. */
  answered(probe: boolean): number {
    if (!probe) {
      return 0;
    }
    const tries = this.#tries;
    this.#tries = 0;
    return tries;
  }

  /** Milliseconds until the next call may go. News need not wait for the whole backoff, but for what the backend asked. */
  wait(news: boolean): number {
    const now = this.#clock.monotonic();
    const retryAt = news ? Math.min(this.#retryAt, this.#failedAt + NEWS_WAIT) : this.#retryAt;
    return Math.max(0, this.#notBefore - now, this.failing ? retryAt - now : 0);
  }
}
