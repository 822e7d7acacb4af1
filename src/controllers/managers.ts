import type { AccessRule } from '../api/v1/secret-manager.ts';
import type { SecretNames } from '../managers/secret-names.ts';
import type { Source } from '../managers/topic.ts';

/** What a reference needs to know of a manager object. */
export type ManagerState =
  /** There is no such object. */
  | { readonly state: 'missing' }
  /** It has just been seen; its references are called when it is ready. */
  | { readonly state: 'starting' }
  /** It can't work as it is written; `message` says what to do. */
  | { readonly state: 'broken'; readonly message: string }
  | ReadyManager;

export interface ReadyManager {
  readonly state: 'ready';
  readonly source: Source;
  readonly names: SecretNames;
  /** Undefined for a namespaced manager: its own namespace may use it, no other can name it. */
  readonly access: readonly AccessRule[] | undefined;
  readonly onRevoked: 'Retain' | 'Delete';
  readonly contact: string | undefined;
}

/** The managers that references may name, by `managerKey`. */
export interface ManagerDirectory {
  lookup(key: string): ManagerState;
}
