import { isForbidden } from '../kube/errors.ts';
import { whenAborted } from '../runtime/abort.ts';
import { type Clock, sleep } from '../runtime/clock.ts';

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
  /** Hears of each try that failed. */
  readonly onTrouble: (error: unknown) => void;
}

const RETRY = 2_000;

export function createLearned({ ask, otherwise, onTrouble }: Question, clock: Clock): Learned {
  let value = otherwise;
  const known = Promise.withResolvers<void>();

  async function learn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        value = await ask(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error);
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
