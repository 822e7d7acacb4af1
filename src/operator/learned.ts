import { isForbidden } from '../kube/errors.ts';
import { whenAborted } from '../runtime/abort.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';

/** Something that the API server is asked once, when the operator starts. */
export interface Learned {
  /** Known once synced. */
  readonly value: () => string;
  run(signal: AbortSignal): Promise<void>;
  whenSynced(signal: AbortSignal): Promise<void>;
}

export interface Question {
  readonly ask: (signal: AbortSignal) => Promise<string>;
  /** What it is taken for until it is known, and where we may not know it. */
  readonly otherwise: string;
  /** What is logged where it can't be asked. */
  readonly trouble: string;
}

const RETRY = 2_000;

export function createLearned(
  { ask, otherwise, trouble }: Question,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Learned {
  let value = otherwise;
  const known = Promise.withResolvers<void>();

  async function learn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        value = await ask(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn(trouble, describeError(error));
        if (isForbidden(error)) return;
        await sleep(clock, RETRY, signal);
      }
    }
  }

  return {
    value: () => value,
    run: async (signal) => {
      await learn(signal);
      known.resolve();
      await whenAborted(signal);
    },
    whenSynced: async (signal) => {
      await Promise.race([known.promise, whenAborted(signal)]);
    },
  };
}
