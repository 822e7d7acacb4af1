import { annotations, labels } from '../../src/api/v1/names.ts';
import { secretReferences } from '../../src/api/v1/resources.ts';
import { workloadResources } from '../../src/controllers/rollout/resources.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import { secrets } from '../../src/kube/resource.ts';
import { createStore } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { consumerLabel } from './deployment.ts';

/** What was seen of one object: monotonic milliseconds of its last change. */
export interface Sighting {
  readonly at: number;
  /** What its annotations say it is made from. */
  readonly versions: string;
}

/** What was seen of a Deployment that consumes a target. */
export interface GenerationSighting {
  readonly at: number;
  readonly generation: number;
}

/** Watches what the operator writes, by metadata alone, from a process of its own. */
export interface Observer {
  /** Secrets of ours as they are now, by namespace and name. */
  readonly secrets: ReadonlyMap<string, Sighting>;
  /** References that were written since `start`, with the time of the first write. */
  readonly written: ReadonlyMap<string, number>;
  /** Deployments that consume a target: without a controller-manager a new generation can only be a marker. */
  readonly consumers: ReadonlyMap<string, GenerationSighting>;
}

export async function startObserver(transport: Transport, logger: Logger, signal: AbortSignal): Promise<Observer> {
  const seen = new Map<string, Sighting>();
  const written = new Map<string, number>();
  const generations = new Map<string, GenerationSighting>();
  const shared = { transport, clock: systemClock, random: Math.random, logger, metadataOnly: true, transform };
  const targets = createStore<KubeObject>({ logger });
  targets.onChange(({ object }) => {
    const versions = object.metadata.annotations[annotations.versions] ?? '';
    seen.set(keyOf(object), { at: performance.now(), versions });
  });
  const references = createStore<KubeObject>({ logger });
  references.onChange(({ object, type }) => {
    const key = keyOf(object);
    if (type === 'updated' && !written.has(key)) written.set(key, performance.now());
  });
  const consumers = createStore<KubeObject>({ logger });
  consumers.onChange(({ object }) => {
    const { generation } = object.metadata;
    if (generations.get(keyOf(object))?.generation === generation) return;
    generations.set(keyOf(object), { at: performance.now(), generation });
  });
  const reflectors = [
    createReflector({ ...shared, resource: secrets, labelSelector: labels.target, store: targets }),
    createReflector({ ...shared, resource: secretReferences, store: references }),
    createReflector({
      ...shared,
      resource: workloadResources.Deployment,
      labelSelector: consumerLabel,
      store: consumers,
    }),
  ];
  for (const reflector of reflectors) {
    void reflector.run(signal);
    await reflector.whenSynced(signal);
  }
  return { secrets: seen, written, consumers: generations };
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function transform({ metadata }: KubeObject): KubeObject {
  return { metadata };
}
