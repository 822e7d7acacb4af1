import { z } from 'zod';
import { labels } from '../../../src/api/v1/names.ts';
import type { KubeObject, RawObject } from '../../../src/kube/object.ts';
import { createReflector } from '../../../src/kube/reflector.ts';
import { secrets } from '../../../src/kube/resource.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/logger.ts';

/** What the native Secrets hold, by a watch: a process of its own sees them as pods would. */
export interface Targets {
  /** Resolves with the monotonic milliseconds at which the Secret of a reference was seen to hold `value`; rejects after a minute. */
  holds(namespace: string, name: string, value: string): Promise<number>;
}

interface Target extends KubeObject {
  readonly value: string;
}

/** The one key that each reference asks for. */
export const dataKey = 'value';
const PATIENCE = 60_000;

const secretSchema = z.looseObject({ data: z.record(z.string(), z.string()).default({}) });

export async function startTargets(transport: Transport, logger: Logger, signal: AbortSignal): Promise<Targets> {
  const store = createStore<Target>({ logger });
  const reflector = createReflector<Target>({
    transport,
    logger,
    store,
    transform,
    clock: systemClock,
    random: Math.random,
    resource: secrets,
    labelSelector: labels.target,
  });
  void reflector.run(signal);
  await reflector.whenSynced(signal);
  return {
    holds: (namespace, name, value) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const look = (): void => {
        if (store.get(namespace, name)?.value === value) resolve(performance.now());
      };
      const stop = store.onChange(look);
      const timer = setTimeout(() => {
        reject(new Error(`Secret ${namespace}/${name} does not hold what was put, after ${PATIENCE / 1000} s`));
      }, PATIENCE);
      look();
      return promise.finally(() => {
        stop();
        clearTimeout(timer);
      });
    },
  };
}

function transform(raw: RawObject): Target {
  const { data } = secretSchema.parse(raw);
  return { metadata: raw.metadata, value: Buffer.from(data[dataKey] ?? '', 'base64').toString() };
}
