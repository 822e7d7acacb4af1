import type { Reflector } from '../kube/reflector.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Check, healthy, unhealthy } from '../runtime/health.ts';
import type { Caches as CacheLoops } from '../runtime/lifecycle.ts';

/** Milliseconds: a reflector that took no step for so long is stuck, whatever the API server does. */
const SILENCE_BOUND = 600_000;

/** What has to be known before anything is decided. */
interface Loop {
  run(signal: AbortSignal): Promise<unknown>;
  whenSynced(signal: AbortSignal): Promise<unknown>;
}

/** Several loops as one thing that runs and gets synced. */
export function runCaches(loops: readonly Loop[]): CacheLoops {
  return {
    run: async (signal) => {
      await Promise.all(loops.map((loop) => loop.run(signal)));
    },
    whenSynced: async (signal) => {
      await Promise.all(loops.map((loop) => loop.whenSynced(signal)));
    },
  };
}

/** Fails where a reflector is stuck: only a restart helps. */
export function cachesHealth(reflectors: readonly Pick<Reflector, 'lastActivity'>[], clock: Clock): Check {
  const started = clock.monotonic();
  return () => {
    const oldest = Math.min(...reflectors.map((reflector) => Math.max(reflector.lastActivity, started)));
    return clock.monotonic() - oldest > SILENCE_BOUND ? unhealthy('a reflector is stuck') : healthy;
  };
}
