import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { requestKey } from '../runtime/request.ts';
import { type IndexFunctions, Indexes } from './indexes.ts';
import type { KubeObject } from './object.ts';

export interface Change<T> {
  readonly type: 'added' | 'updated' | 'deleted';
  /** The object as it is now; for `deleted`, as it was last seen. */
  readonly object: T;
  /** For `updated`: as it was before. */
  readonly previous?: T;
  /** True for what the first list of a reflector brought. */
  readonly initial: boolean;
}

/** What is known of the cluster's objects of one kind. Reads are from memory; the objects are shared and never changed. */
export interface Store<T extends KubeObject> {
  /** `namespace` is empty for cluster-scoped objects. */
  get(namespace: string, name: string): T | undefined;
  list(): T[];
  /** The objects to which the index function `index` gave `value`. An index that does not exist is a `RangeError`. */
  byIndex(index: string, value: string): T[];
  /**
   * Calls `handler` for every change from now on, after it can be read. Handlers should only put keys into a queue: one that
   * throws is logged and loses that change. Returns the way to stop.
   */
  onChange(handler: (change: Change<T>) => void): () => void;
  /**
   * Calls `handler` after a later list took the place of what was known, when its changes were told. What came and went while nobody watched was never here,
   * so no change tells of it.
   */
  onReplaced(handler: () => void): void;
  /** A way to fill the store. Several writers share it, each replacing and deleting only what it put there itself. */
  writer(): StoreWriter<T>;
  readonly size: number;
}

export interface StoreWriter<T extends KubeObject> {
  /** Adds or updates. Another uid is another object: deleted, then added. The same resource version is no change. */
  put(object: T): void;
  /** Forgets the object, unless another with the same name took its place. */
  remove(object: KubeObject): void;
  /** Makes `objects` all that there is of this writer. Changes are told once all of it can be read. */
  replace(objects: readonly T[], initial: boolean): void;
}

export interface StoreOptions<T> {
  readonly logger: Logger;
  /** Values by which objects are found, per index. They must depend on the object alone. */
  readonly indexes?: IndexFunctions<T>;
}

export function createStore<T extends KubeObject>(options: StoreOptions<T>): Store<T> {
  const entries = new Map<string, Entry<T>>();
  const indexes = new Indexes<T>(options.indexes ?? {}, options.logger);
  const handlers = new Set<(change: Change<T>) => void>();
  const replaced = new Set<() => void>();

  const tell = (change: Change<T>): void => {
    for (const handler of handlers) {
      try {
        handler(change);
      } catch (error) {
        const { namespace, name } = change.object.metadata;
        options.logger.error('A handler of changes failed', {
          namespace,
          name,
          type: change.type,
          ...describeError(error),
        });
      }
    }
  };

  return {
    get: (namespace, name) => entries.get(requestKey({ namespace, name }))?.object,
    list: () => Array.from(entries.values(), (entry) => entry.object),
    byIndex: (index, value) => indexes.find(index, value),
    onChange: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    onReplaced: (handler) => {
      replaced.add(handler);
    },
    writer: () => new Writer(entries, indexes, tell, () => replaced.forEach((handler) => handler())),
    get size() {
      return entries.size;
    },
  };
}

interface Entry<T> {
  readonly object: T;
  /** The writer that put it there. */
  readonly owner: object;
}

class Writer<T extends KubeObject> implements StoreWriter<T> {
  readonly #entries: Map<string, Entry<T>>;
  readonly #indexes: Indexes<T>;
  readonly #tell: (change: Change<T>) => void;
  readonly #tellReplaced: () => void;

  constructor(
    entries: Map<string, Entry<T>>,
    indexes: Indexes<T>,
    tell: (change: Change<T>) => void,
    tellReplaced: () => void,
  ) {
    this.#entries = entries;
    this.#indexes = indexes;
    this.#tell = tell;
    this.#tellReplaced = tellReplaced;
  }

  put(object: T): void {
    this.#put(object, false).forEach(this.#tell);
  }

  remove(object: KubeObject): void {
    const key = requestKey(object.metadata);
    if (this.#entries.get(key)?.object.metadata.uid === object.metadata.uid) {
      this.#remove(key, false).forEach(this.#tell);
    }
  }

  replace(objects: readonly T[], initial: boolean): void {
    const kept = new Set(objects.map((object) => requestKey(object.metadata)));
    const gone = [...this.#entries.keys()].filter((key) => !kept.has(key));
    const changes = [
      ...gone.flatMap((key) => this.#remove(key, initial)),
      ...objects.flatMap((object) => this.#put(object, initial)),
    ];
    changes.forEach(this.#tell);
    if (!initial) this.#tellReplaced();
  }

  #put(object: T, initial: boolean): Change<T>[] {
    const key = requestKey(object.metadata);
    const previous = this.#entries.get(key)?.object;
    if (previous !== undefined && isSame(previous, object)) {
      this.#entries.set(key, { object: previous, owner: this });
      return [];
    }
    this.#entries.set(key, { object, owner: this });
    this.#indexes.move(previous, object);
    const added: Change<T> = { type: 'added', object, initial };
    if (previous === undefined) {
      return [added];
    }
    return previous.metadata.uid === object.metadata.uid
      ? [{ type: 'updated', object, previous, initial }]
      : [{ type: 'deleted', object: previous, initial }, added];
  }

  #remove(key: string, initial: boolean): Change<T>[] {
    const entry = this.#entries.get(key);
    if (entry?.owner !== this) {
      return [];
    }
    this.#entries.delete(key);
    this.#indexes.move(entry.object, undefined);
    return [{ type: 'deleted', object: entry.object, initial }];
  }
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}
