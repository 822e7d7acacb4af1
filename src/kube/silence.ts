import type { Clock } from '../runtime/clock.ts';
import { safeMessage } from '../runtime/errors.ts';

/** A watch that brings nothing. */
export class IdleWatchError extends Error {
  override readonly name = 'IdleWatchError';
  readonly [safeMessage] = true;
}

/** A signal that aborts with `signal`, or when nothing was heard for `silence` milliseconds: a half-open socket says nothing. */
export function guardSilence(
  clock: Clock,
  silence: number,
  lastHeard: () => number,
  signal: AbortSignal,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  const check = (): void => {
    const left = lastHeard() + silence - clock.monotonic();
    if (left > 0) {
      timer = clock.after(left, check);
    } else {
      controller.abort(new IdleWatchError(`nothing was heard for ${String(silence / 1000)} s`));
    }
  };
  let timer = clock.after(silence, check);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) {
    abort();
  }
  return {
    signal: controller.signal,
    release: () => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    },
  };
}
