/** What a controller reconciles: one object by name. Cluster-scoped objects have the empty namespace. */
export interface Request {
  readonly namespace: string;
  readonly name: string;
}

/** A request as the key of a map or a queue: `namespace/name`, `/name` for cluster-scoped objects. */
export function requestKey(request: Request): string {
  return `${request.namespace}/${request.name}`;
}

/** The inverse of `requestKey`. The namespace can't hold a slash. */
export function parseRequestKey(key: string): Request {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
