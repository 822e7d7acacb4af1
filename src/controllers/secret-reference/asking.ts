import { annotations } from '../../api/v1/names.ts';
import type { Store } from '../../kube/store.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { createReader, type Reader } from './reader.ts';
import type { ReferenceScope } from './reconcile.ts';
import type { Reference } from './reference.ts';

/** A reader for one look at a reference: what it asks for becomes the reference's subscriptions. */
export function readerFor(scope: ReferenceScope, reference: Reference): Reader {
  const { namespace } = reference.metadata;
  const asker = { namespace, labels: scope.namespaceLabels(namespace), trustedLabels: scope.trustedLabels };
  const interval = reference.spec.refreshInterval;
  return createReader({
    directory: scope.managers,
    asker,
    refreshInterval: interval === undefined ? undefined : parseDuration(interval),
    familiarNames: () => namesUsedIn(scope.references, namespace),
  });
}

/** Secrets that references of a namespace hold already: it may see their names. */
function namesUsedIn(references: Store<Reference>, namespace: string): readonly string[] {
  const held = references.byIndex('namespace', namespace).flatMap(({ status }) => status.versions ?? []);
  return [...new Set(held.map((version) => version.secret))];
}

/** The annotation's new value, once everything was asked anew for it; `pending` until then. */
export function requestedSync(
  scope: ReferenceScope,
  reference: Reference,
  subscriber: string,
  reader: Reader,
): { readonly state: 'pending' } | { readonly state: 'done'; readonly request: string | undefined } {
  const request = reference.metadata.annotations[annotations.sync];
  if (request === undefined || request === reference.status.lastSyncRequest)
    return { state: 'done', request: undefined };
  return refresh(scope, subscriber, request, reader) === 'done' ? { state: 'done', request } : { state: 'pending' };
}

/** Has everything asked anew that the reference wants, once per token. */
export function refresh(scope: ReferenceScope, subscriber: string, token: string, reader: Reader): 'pending' | 'done' {
  const states = [...reader.wants.keys()].map((key) => {
    const manager = scope.managers.lookup(key);
    return manager.state === 'ready' ? manager.source.refresh(subscriber, token) : 'done';
  });
  return states.includes('pending') ? 'pending' : 'done';
}
