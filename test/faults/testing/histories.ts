import type { ApiRequest, BackendChange, History, Json, ObjectVersion, OwnerReference } from '../history.ts';

/** A history in which nothing happened, with what is given. Everything in it is of namespace `shop` and manager `shop`. */
export function historyOf(parts: Partial<History> = {}): History {
  return {
    namespace: 'shop',
    manager: 'shop',
    ownNamespaces: ['lane'],
    objects: [],
    backend: [],
    requests: [],
    calls: [],
    acts: [],
    waits: [],
    logs: [],
    canaries: [],
    ...parts,
  };
}

export interface VersionParts {
  readonly kind?: string;
  readonly type?: ObjectVersion['type'];
  readonly name?: string;
  readonly uid?: string;
  readonly revision?: number;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owners?: readonly OwnerReference[];
  readonly object?: Json;
  readonly at?: number;
}

export function versionOf(parts: VersionParts = {}): ObjectVersion {
  const { annotations = {}, object = {}, revision = 1 } = parts;
  return {
    kind: 'Secret',
    type: 'MODIFIED',
    name: 'app',
    uid: 'secret-1',
    generation: 1,
    labels: {},
    owners: [],
    at: revision,
    ...parts,
    revision,
    annotations,
    object: { metadata: {}, ...object },
  };
}

/** A state of Secret `app`, the target of reference `app` (uid `ref-1`). */
export function secretWith(data: Readonly<Record<string, string>>, parts: VersionParts = {}): ObjectVersion {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return versionOf({
    ...parts,
    annotations: { 'keyferry.io/reference-uid': 'ref-1', 'keyferry.io/reference': 'shop/app', ...parts.annotations },
    object: { data: Object.fromEntries(encoded), ...parts.object },
  });
}

/** A state of reference `app` (uid `ref-1`). */
export function referenceWith(data: Json, parts: VersionParts & { readonly status?: Json } = {}): ObjectVersion {
  const { status = {}, ...rest } = parts;
  return versionOf({ kind: 'SecretReference', uid: 'ref-1', ...rest, object: { spec: { data }, status } });
}

/** Versions of a secret: `put('db', 'one', 'two')` are versions v1 and v2, put at times 1 and 2. */
export function put(secret: string, ...values: readonly string[]): readonly BackendChange[] {
  return values.map((value, index) => ({ kind: 'put', secret, value, version: `v${index + 1}`, at: index + 1 }));
}

export function requestOf(parts: Partial<ApiRequest>): ApiRequest {
  return {
    slot: 'a',
    verb: 'apply',
    resource: 'secrets',
    subresource: '',
    namespace: 'shop',
    name: 'app',
    body: undefined,
    fieldManager: '',
    dryRun: false,
    at: 1,
    status: 200,
    ...parts,
  };
}
