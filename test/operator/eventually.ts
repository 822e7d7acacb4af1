import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds. Default 30,000. */
  readonly deadline?: number;
  /** Milliseconds between two tries. Default 50. */
  readonly every?: number;
}

/** Tries until `attempt` resolves, and gives what it gave. After the deadline it throws what the last try threw, with what was waited for. */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T> | T,
  options: EventuallyOptions = {},
): Promise<T> {
  const { deadline = 30_000, every = 50 } = options;
  const end = performance.now() + deadline;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) {
        throw new Error(`gave up after ${deadline} ms waiting until ${what}: ${describe(error)}`, { cause: error });
      }
    }
    await delay(every);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
