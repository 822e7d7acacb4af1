import { isOlderVersion } from '../../kube/resource-version.ts';
import type { Store } from '../../kube/store.ts';
import { requestKey, type Request } from '../../runtime/request.ts';
import type { Reference } from './reference.ts';

/** The cache of references, corrected by what we have just written ourselves and the watch has not yet told. */
export interface ReferenceView {
  get(request: Request): Reference | undefined;
  /** Notes what the API server answered to a write of ours. */
  wrote(reference: Reference): void;
  /** True where this is exactly what a write of ours left. */
  isOwnWrite(object: Reference): boolean;
  forget(request: Request): void;
}

export function createReferenceView(store: Store<Reference>): ReferenceView {
  const written = new Map<string, Reference>();
  return {
    get(request) {
      const cached = store.get(request.namespace, request.name);
      const own = written.get(requestKey(request));
      if (own === undefined || cached === undefined) return cached;
      if (isBehind(cached, own)) return own;
      written.delete(requestKey(request));
      return cached;
    },
    wrote(reference) {
      const key = requestKey(reference.metadata);
      const cached = store.get(reference.metadata.namespace, reference.metadata.name);
      // The watch may be faster than the answer: then there is nothing to correct.
      if (cached !== undefined && isBehind(cached, reference)) written.set(key, reference);
      else written.delete(key);
    },
    isOwnWrite(object) {
      const own = written.get(requestKey(object.metadata));
      return own?.metadata.resourceVersion === object.metadata.resourceVersion;
    },
    forget: (request) => {
      written.delete(requestKey(request));
    },
  };
}

function isBehind(cached: Reference, own: Reference): boolean {
  const sameObject = cached.metadata.uid === own.metadata.uid;
  return sameObject && isOlderVersion(cached.metadata.resourceVersion, own.metadata.resourceVersion);
}
