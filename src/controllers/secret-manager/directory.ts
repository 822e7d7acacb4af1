import type { ManagerDirectory, ManagerState } from '../managers.ts';

/** The managers as the manager controller last found them. */
export interface WritableDirectory extends ManagerDirectory {
  /** True where references see a difference. `fingerprint` stands for everything that makes one. */
  set(key: string, fingerprint: string, state: ManagerState): boolean;
  /** True where the manager was known. */
  remove(key: string): boolean;
}

/** `exists` tells whether the cache has the object: a manager that is there but not yet looked at is `starting`, not `missing`. */
export function createDirectory(exists: (key: string) => boolean): WritableDirectory {
  const entries = new Map<string, { readonly fingerprint: string; readonly state: ManagerState }>();
  return {
    lookup: (key) => entries.get(key)?.state ?? { state: exists(key) ? 'starting' : 'missing' },
    set(key, fingerprint, state) {
      const before = entries.get(key);
      entries.set(key, { fingerprint, state });
      return before?.fingerprint !== fingerprint;
    },
    remove: (key) => entries.delete(key),
  };
}
