import type { ObjectMeta } from '../kube/object.ts';

/** What is worth keeping of an object's metadata in a cache: no managed fields, and only annotations that begin with one of `prefixes`. */
export function pickMetadata(metadata: ObjectMeta, prefixes: readonly string[]): ObjectMeta {
  const annotations = Object.entries(metadata.annotations).filter(([name]) =>
    prefixes.some((prefix) => name.startsWith(prefix)),
  );
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    labels: metadata.labels,
    annotations: Object.fromEntries(annotations),
    ownerReferences: metadata.ownerReferences,
  };
}
