import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeObject } from './object.ts';

/** The values by which an object is found, per index. They must depend on the object alone. */
export type IndexFunctions<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** Finds objects by values that functions give them. */
export class Indexes<T extends KubeObject> {
  readonly #functions: IndexFunctions<T>;
  readonly #logger: Logger;
  readonly #found = new Map<string, Map<string, Set<T>>>();

  constructor(functions: IndexFunctions<T>, logger: Logger) {
    this.#functions = functions;
    this.#logger = logger;
    for (const name of Object.keys(functions)) {
      this.#found.set(name, new Map());
    }
  }

  /** @throws RangeError for an index that does not exist */
  find(index: string, value: string): T[] {
    const values = this.#found.get(index);
    if (values === undefined) {
      throw new RangeError(`there is no index "${index}"`);
    }
    return [...(values.get(value) ?? [])];
  }

  /** Takes `before` out of every index and puts `after` in. */
  move(before: T | undefined, after: T | undefined): void {
    for (const [name, valuesOf] of Object.entries(this.#functions)) {
      const index = this.#found.get(name);
      if (index !== undefined) {
        this.#values(name, valuesOf, before).forEach((value) => takeOut(index, value, before));
        this.#values(name, valuesOf, after).forEach((value) => putIn(index, value, after));
      }
    }
  }

  #values(name: string, valuesOf: (object: T) => readonly string[], object: T | undefined): readonly string[] {
    if (object === undefined) {
      return [];
    }
    try {
      return valuesOf(object);
    } catch (error) {
      const { namespace, name: objectName } = object.metadata;
      this.#logger.error('An index failed', { index: name, namespace, name: objectName, ...describeError(error) });
      return [];
    }
  }
}

function takeOut<T>(index: Map<string, Set<T>>, value: string, object: T | undefined): void {
  const found = index.get(value);
  if (found !== undefined && object !== undefined) {
    found.delete(object);
    if (found.size === 0) {
      index.delete(value);
    }
  }
}

function putIn<T>(index: Map<string, Set<T>>, value: string, object: T | undefined): void {
  if (object === undefined) {
    return;
  }
  const found = index.get(value);
  if (found === undefined) {
    index.set(value, new Set([object]));
  } else {
    found.add(object);
  }
}
