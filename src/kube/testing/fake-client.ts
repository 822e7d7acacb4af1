import type { CallOptions, KubeBody, KubeClient, ObjectName, WriteOptions } from '../client.ts';
import { KubeError } from '../errors.ts';
import { type RawObject, rawObjectSchema } from '../object.ts';
import { subjectOf } from '../path.ts';
import type { Resource } from '../resource.ts';

interface Begun {
  readonly key: string;
  /** Gives the caller what was done, or not. */
  readonly answer: (object: RawObject) => Promise<RawObject>;
}

/** An API server in memory that keeps one version of the rules: create, get, merge patch with preconditions, delete. */
export class FakeClient implements KubeClient {
  /** By `plural/namespace/name`. */
  readonly objects = new Map<string, RawObject>();
  /** `verb plural/namespace/name`, in order. */
  readonly calls: string[] = [];
  #version = 0;

  /**
   * Decides about the next calls: an error to fail with, `hang` to wait until the call is aborted, `lose` to do it at once but to
   * wait with the answer until the call is aborted, undefined to do it.
   */
  fail: (call: string) => KubeError | 'hang' | 'lose' | undefined = () => undefined;

  async get(resource: Resource, object: ObjectName, options: CallOptions): Promise<RawObject> {
    const { key, answer } = await this.#begin('get', resource, object, options);
    return answer(this.#existing('get', resource, object, key));
  }

  async create(resource: Resource, body: KubeBody, options: WriteOptions): Promise<RawObject> {
    const object = { namespace: '', ...body.metadata };
    const { key, answer } = await this.#begin('create', resource, object, options);
    if (this.objects.has(key)) {
      throw new KubeError({ subject: subjectOf('create', resource, object), status: 409, reason: 'AlreadyExists' });
    }
    return answer(this.#store(key, body));
  }

  async mergePatch(resource: Resource, body: KubeBody, options: WriteOptions): Promise<RawObject> {
    const object = { namespace: '', ...body.metadata };
    const { key, answer } = await this.#begin('patch', resource, object, options);
    const previous = this.#existing('patch', resource, object, key);
    const { uid = previous.metadata.uid, resourceVersion = previous.metadata.resourceVersion } = body.metadata;
    if (uid !== previous.metadata.uid || resourceVersion !== previous.metadata.resourceVersion) {
      throw new KubeError({ subject: subjectOf('patch', resource, object), status: 409, reason: 'Conflict' });
    }
    return answer(this.#store(key, body, previous));
  }

  async delete(resource: Resource, object: ObjectName, options: CallOptions): Promise<void> {
    const { key } = await this.#begin('delete', resource, object, options);
    this.objects.delete(key);
  }

  apply(): Promise<RawObject> {
    return Promise.reject(new Error('the fake client has no apply'));
  }

  review(): Promise<unknown> {
    return Promise.reject(new Error('the fake client has no reviews'));
  }

  list(): Promise<RawObject[]> {
    return Promise.reject(new Error('the fake client has no list'));
  }

  async #begin(verb: string, resource: Resource, object: ObjectName, options: CallOptions): Promise<Begun> {
    const key = `${resource.plural}/${object.namespace}/${object.name}`;
    this.calls.push(`${verb} ${key}`);
    const failure = this.fail(`${verb} ${key}`);
    await (failure === 'hang' ? untilAborted(options.signal) : Promise.resolve());
    options.signal.throwIfAborted();
    if (failure instanceof KubeError) {
      throw failure;
    }
    const answer = async (object: RawObject): Promise<RawObject> => {
      if (failure === 'lose') await untilAborted(options.signal);
      options.signal.throwIfAborted();
      return object;
    };
    return { key, answer };
  }

  #store(key: string, body: KubeBody, previous?: RawObject): RawObject {
    this.#version += 1;
    const version = String(this.#version);
    const uid = previous?.metadata.uid ?? `uid-${version}`;
    const metadata = { ...merge(previous?.metadata ?? {}, body.metadata), uid, resourceVersion: version };
    const object = rawObjectSchema.parse({ ...merge(previous ?? {}, body), metadata });
    this.objects.set(key, object);
    return object;
  }

  #existing(verb: string, resource: Resource, object: ObjectName, key: string): RawObject {
    const found = this.objects.get(key);
    if (found === undefined) {
      throw new KubeError({ subject: subjectOf(verb, resource, object), status: 404, reason: 'NotFound' });
    }
    return found;
  }
}

function merge(previous: Readonly<Record<string, unknown>>, patch: Readonly<Record<string, unknown>>): object {
  const merged: Record<string, unknown> = { ...previous };
  for (const [field, value] of Object.entries(patch)) {
    const before = merged[field];
    if (value === null) delete merged[field];
    else merged[field] = isRecord(before) && isRecord(value) ? merge(before, value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
