import { annotations } from '../../api/v1/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Change, Store } from '../../kube/store.ts';
import { parseRequestKey, type Request } from '../../runtime/request.ts';
import { type Reference, targetName } from './reference.ts';
import { mergedUids } from './target-secret.ts';
import type { ObjectView } from '../object-view.ts';

/** Where requests go: the work queue of a controller. */
export interface Enqueue {
  (request: Request, priority?: 'high' | 'low'): void;
}

export interface ReferenceWatches {
  readonly references: Store<Reference>;
  readonly targets: Store<KubeObject>;
  readonly namespaces: Store<KubeObject>;
  readonly view: ObjectView<Reference>;
  /** References to look at. */
  readonly enqueue: Enqueue;
  /** Merged Secrets to look at. */
  readonly enqueueMerged: Enqueue;
}

/** Turns what the caches see into requests. Handlers only enqueue. */
export function watchForReferences(watches: ReferenceWatches): void {
  watches.references.onChange((change) => onReference(watches, change));
  watches.targets.onChange((change) => onTarget(watches, change));
  watches.namespaces.onChange((change) => onNamespace(watches, change));
}

/** Calls every reference that names this manager. */
export function requeueManager(watches: Pick<ReferenceWatches, 'references' | 'enqueue'>, managerKey: string): void {
  for (const reference of watches.references.byIndex('manager', managerKey)) watches.enqueue(reference.metadata);
}

/** Calls one reference, by the key that it subscribes to sources with. */
export function requeueSubscriber(enqueue: Enqueue, subscriber: string): void {
  enqueue(parseRequestKey(subscriber));
}

function onReference(watches: ReferenceWatches, change: Change<Reference>): void {
  const { object, previous } = change;
  const ownWrite = change.type === 'updated' && watches.view.isOwnWrite(object) && !specChanged(object, previous);
  if (!ownWrite) watches.enqueue(object.metadata, change.initial ? 'low' : 'high');
  if (change.type === 'added') return;
  // Whoever waited for this target, or has keys in it, may go on.
  const { namespace } = object.metadata;
  const gone = change.type === 'deleted' || (previous !== undefined && specChanged(object, previous));
  if (!gone) return;
  for (const other of watches.references.byIndex('target', `${namespace}/${targetName(object)}`))
    watches.enqueue(other.metadata);
  watches.enqueueMerged({ namespace, name: targetName(object) });
}

function specChanged(object: Reference, previous: Reference | undefined): boolean {
  if (previous === undefined) return true;
  return (
    object.metadata.generation !== previous.metadata.generation ||
    object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    object.metadata.annotations[annotations.sync] !== previous.metadata.annotations[annotations.sync]
  );
}

/** A Secret of ours that changed, or is gone, or lost its label. */
function onTarget(watches: ReferenceWatches, { object, type, initial }: Change<KubeObject>): void {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  for (const reference of watches.references.byIndex('target', `${namespace}/${name}`)) {
    const seen = watches.view.get(reference.metadata)?.status.target;
    const expected = type !== 'deleted' && seen?.uid === uid && seen?.resourceVersion === resourceVersion;
    if (!expected) watches.enqueue(reference.metadata, initial ? 'low' : 'high');
  }
  if (type !== 'deleted' && mergedUids(object.metadata).length > 0) watches.enqueueMerged(object.metadata);
}

/** Access rules may select namespaces by labels. */
function onNamespace(watches: ReferenceWatches, { object, previous, type }: Change<KubeObject>): void {
  if (type === 'updated' && sameLabels(object, previous)) return;
  for (const reference of watches.references.byIndex('namespace', object.metadata.name))
    watches.enqueue(reference.metadata);
}

function sameLabels(a: KubeObject, b: KubeObject | undefined): boolean {
  return JSON.stringify(a.metadata.labels) === JSON.stringify(b?.metadata.labels);
}
