import type { KubeObject } from '../kube/object.ts';
import { isOlderVersion } from '../kube/resource-version.ts';
import { requestKey, type Request } from '../runtime/request.ts';

/** A cache of objects, corrected by what we have just written ourselves and the watch has not yet told. */
export interface ObjectView<T extends KubeObject> {
  get(request: Request): T | undefined;
  /** Notes what the API server answered to a write of ours. */
  wrote(object: T): void;
  /** True where this is exactly what a write of ours left. */
  isOwnWrite(object: T): boolean;
  forget(request: Request): void;
}

/** `lookup` reads the cache; `requestOf` is what it is asked by. */
export function createObjectView<T extends KubeObject>(
  lookup: (request: Request) => T | undefined,
  requestOf: (object: T) => Request = ({ metadata }) => metadata,
): ObjectView<T> {
  const written = new Map<string, T>();
  return {
    get(request) {
      const cached = lookup(request);
      const own = written.get(requestKey(request));
      if (own === undefined || cached === undefined) return cached;
      if (isBehind(cached, own)) return own;
      written.delete(requestKey(request));
      return cached;
    },
    wrote(object) {
      const key = requestKey(requestOf(object));
      const cached = lookup(requestOf(object));
      // The watch may be faster than the answer: then there is nothing to correct.
      if (cached !== undefined && isBehind(cached, object)) written.set(key, object);
      else written.delete(key);
    },
    isOwnWrite(object) {
      const own = written.get(requestKey(requestOf(object)));
      return own?.metadata.resourceVersion === object.metadata.resourceVersion;
    },
    forget: (request) => {
      written.delete(requestKey(request));
    },
  };
}

function isBehind(cached: KubeObject, own: KubeObject): boolean {
  const sameObject = cached.metadata.uid === own.metadata.uid;
  return sameObject && isOlderVersion(cached.metadata.resourceVersion, own.metadata.resourceVersion);
}
