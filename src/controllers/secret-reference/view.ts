import type { Store } from '../../kube/store.ts';
import { requestKey, type Request } from '../../runtime/request.ts';
import type { Reference } from './reference.ts';

/** The cache of references, corrected by what we have just written ourselves and the watch has not yet told. */
export interface ReferenceView {
  get(request: Request): Reference | undefined;
  /** Notes what the API server answered to a write that was based on `before`. */
  wrote(before: Reference, after: Reference): void;
  /** True where this is exactly what a write of ours left. */
  isOwnWrite(object: Reference): boolean;
  forget(request: Request): void;
}

export function createReferenceView(store: Store<Reference>): ReferenceView {
  const written = new Map<string, { readonly basedOn: string; readonly after: Reference }>();
  return {
    get(request) {
      const cached = store.get(request.namespace, request.name);
      const own = written.get(requestKey(request));
      if (own === undefined || cached === undefined) return cached;
      // Any movement of the cache is newer than, or is, what we wrote.
      if (cached.metadata.resourceVersion === own.basedOn) return own.after;
      written.delete(requestKey(request));
      return cached;
    },
    wrote(before, after) {
      const key = requestKey(before.metadata);
      const basedOn = store.get(before.metadata.namespace, before.metadata.name)?.metadata.resourceVersion;
      // The watch was faster than the answer: nothing to correct.
      if (basedOn === undefined || basedOn === after.metadata.resourceVersion) written.delete(key);
      else written.set(key, { basedOn, after });
    },
    isOwnWrite(object) {
      const own = written.get(requestKey(object.metadata));
      return own?.after.metadata.resourceVersion === object.metadata.resourceVersion;
    },
    forget: (request) => {
      written.delete(requestKey(request));
    },
  };
}
