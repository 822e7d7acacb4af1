import type { Clock } from '../../runtime/clock.ts';
import { type Fault, faultOf, type Parties, timeoutFault } from './fault.ts';

/** What came of a call. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

/** Makes one call. Resolves with the answer or the fault; rejects only with the signal's reason after an abort. */
export type Ask = <T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<Answer<T>>;

/**
 * Calls with a deadline of `timeout` milliseconds. It covers the fetching of credentials too, which the SDK passes no signal to: so neither
 * the deadline nor an abort waits for the call to notice it.
 */
export function createAsk(clock: Clock, parties: Parties, timeout: number): Ask {
  return async (call, signal) => {
    signal.throwIfAborted();
    const stop = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      stop.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    });
    const abort = (): void => stop.abort();
    signal.addEventListener('abort', abort, { once: true });
    const deadline = clock.after(timeout, abort);
    try {
      return { ok: true, value: await Promise.race([stopped, call(stop.signal)]) };
    } catch (thrown) {
      signal.throwIfAborted();
      return {
        ok: false,
        fault: stop.signal.aborted ? timeoutFault(parties, timeout / 1000) : faultOf(thrown, parties),
      };
    } finally {
      deadline.cancel();
      signal.removeEventListener('abort', abort);
    }
  };
}
