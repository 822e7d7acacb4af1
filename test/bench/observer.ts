import { annotations, labels } from '../../src/api/v1/names.ts';
import { secretReferences } from '../../src/api/v1/resources.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import { secrets } from '../../src/kube/resource.ts';
import { createStore } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';

/** What was seen of one object: monotonic milliseconds of its last change. */
export interface Sighting {
  readonly at: number;
  /** What its annotations say it is made from. */
  readonly versions: string;
}

/** Watches what the operator writes, by metadata alone, from a process of its own. */
export interface Observer {
  /** Secrets of ours as they are now, by namespace and name. */
  readonly secrets: ReadonlyMap<string, Sighting>;
  /** References that were written since `start`, with the time of the first write. */
  readonly written: ReadonlyMap<string, number>;
}

export async function startObserver(transport: Transport, logger: Logger, signal: AbortSignal): Promise<Observer> {
  const seen = new Map<string, Sighting>();
  const written = new Map<string, number>();
  const shared = { transport, clock: systemClock, random: Math.random, logger, metadataOnly: true, transform };
  const targets = createStore<KubeObject>({ logger });
  targets.onChange(({ object: { metadata } }) => {
    const sighting = { at: performance.now(), versions: metadata.annotations[annotations.versions] ?? '' };
    seen.set(`${metadata.namespace}/${metadata.name}`, sighting);
  });
  const references = createStore<KubeObject>({ logger });
  references.onChange(({ object: { metadata }, type }) => {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (type === 'updated' && !written.has(key)) written.set(key, performance.now());
  });
  const reflectors = [
    createReflector({ ...shared, resource: secrets, labelSelector: labels.target, store: targets }),
    createReflector({ ...shared, resource: secretReferences, store: references }),
  ];
  for (const reflector of reflectors) {
    void reflector.run(signal);
    await reflector.whenSynced(signal);
  }
  return { secrets: seen, written };
}

function transform({ metadata }: KubeObject): KubeObject {
  return { metadata };
}
