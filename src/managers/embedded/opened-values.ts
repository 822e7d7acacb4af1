import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import { ManagerError } from '../errors.ts';
import type { SecretValue } from '../secret-value.ts';
import type { EmbeddedBackend, EmbeddedSecret } from './backend.ts';

/** Opens versions, and keeps in mind those that somebody still has: a version never changes, so a look at what is known costs nothing. */
export interface OpenedValues {
  /** Rejects with the signal's reason only. */
  open(secret: EmbeddedSecret, version: StoredVersion, signal: AbortSignal): Promise<SecretValue | ManagerError>;
  clear(): void;
}

export function createOpenedValues(backend: Pick<EmbeddedBackend, 'open'>): OpenedValues {
  // Weak: a value that no source holds any more is not kept in memory by this.
  const values = new Map<string, WeakRef<SecretValue>>();
  const collected = new FinalizationRegistry((key: string) => {
    if (values.get(key)?.deref() === undefined) values.delete(key);
  });
  return {
    open: async (secret, version, signal) => {
      const key = `${secret.namespace}/${secret.object}/${version.uid}/${version.digest}`;
      const known = values.get(key)?.deref();
      if (known !== undefined) return known;
      try {
        const value = await backend.open(secret, version, signal);
        values.set(key, new WeakRef(value));
        collected.register(value, key);
        return value;
      } catch (error) {
        if (error instanceof ManagerError) return error;
        signal.throwIfAborted();
        // Whatever else was thrown may quote a value.
        return new ManagerError('ManagerUnavailable', 'the API server could not be asked for a version');
      }
    },
    clear: () => values.clear(),
  };
}
