import type { RawObject } from './object.ts';
import type { Resource } from './resource.ts';

export interface ObjectName {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Milliseconds for the whole call, retries of 429 and 503 included. Default 15 s. */
  readonly deadline?: number;
}

export interface GetOptions extends CallOptions {
  /** Nothing but metadata leaves the API server: the way to ask about a Secret without its values. */
  readonly metadataOnly?: boolean;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager: string;
  /** Ask what would happen: admitted and checked, but not stored. The answer may have an empty uid or resourceVersion. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers instead of failing with a conflict. */
  readonly force: boolean;
  readonly subresource?: 'status';
}

export interface DeleteOptions extends CallOptions {
  readonly uid: string;
  readonly resourceVersion?: string;
}

/**
 * The calls that controllers make. Every one rejects with `KubeError` (see errors.ts) or, when `signal` aborts, with the
 * signal's reason. `body` objects need `metadata`; apiVersion and kind are filled in from the resource.
 */
export interface KubeClient {
  get(resource: Resource, object: ObjectName, options: GetOptions): Promise<RawObject>;
  /** One whole list, all its pages. For small lists only: large ones belong into a reflector. */
  list(
    resource: Resource,
    query: { namespace?: string; labelSelector?: string; fieldSelector?: string },
    options: CallOptions,
  ): Promise<RawObject[]>;
  create(resource: Resource, body: KubeBody, options: WriteOptions): Promise<RawObject>;
  /** Server-side apply. A body with `metadata.uid` and `metadata.resourceVersion` is a 409 unless they still hold. */
  apply(resource: Resource, body: KubeBody, options: ApplyOptions): Promise<RawObject>;
  /** JSON merge patch (RFC 7396). */
  mergePatch(
    resource: Resource,
    body: KubeBody,
    options: WriteOptions & { subresource?: 'status' },
  ): Promise<RawObject>;
  /** Posts a review (of access, of who we are), which has no name and is not stored. Gives its status, which nobody has looked at yet. */
  review(resource: Resource, spec: Readonly<Record<string, unknown>>, options: CallOptions): Promise<unknown>;
  /** Deletes with preconditions; resolves also where the object is already gone. */
  delete(resource: Resource, object: ObjectName, options: DeleteOptions): Promise<void>;
}

export interface KubeBody {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}
