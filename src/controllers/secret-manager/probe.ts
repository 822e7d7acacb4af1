import { ManagerError } from '../../managers/errors.ts';
import type { SecretManager } from '../../managers/manager.ts';

/** What a backend said about who we are. */
export type Identity =
  | { readonly state: 'asking' }
  | { readonly state: 'known'; readonly identity: string }
  | { readonly state: 'refused'; readonly error: ManagerError };

/** Asks each session once who it is, beside the reconciles: a backend that hangs holds nobody up. */
export interface IdentityProbe {
  /** What is known; a first call for `fingerprint`, and one after a failure, asks. `onAnswer` is called with the key later. */
  ask(key: string, fingerprint: string, manager: SecretManager): Identity;
  forget(key: string): void;
}

interface Entry {
  readonly fingerprint: string;
  identity: Identity;
  readonly abort: AbortController;
}

const DEADLINE = 15_000;

export function createIdentityProbe(onAnswer: (key: string) => void): IdentityProbe {
  const entries = new Map<string, Entry>();

  function forget(key: string): void {
    entries.get(key)?.abort.abort();
    entries.delete(key);
  }

  return {
    forget,
    ask(key, fingerprint, manager) {
      const before = entries.get(key);
      if (before?.fingerprint === fingerprint) return before.identity;
      forget(key);
      const entry: Entry = { fingerprint, identity: { state: 'asking' }, abort: new AbortController() };
      entries.set(key, entry);
      void probe(manager, entry, () => entries.get(key) === entry && onAnswer(key));
      return entry.identity;
    },
  };
}

async function probe(manager: SecretManager, entry: Entry, answered: () => unknown): Promise<void> {
  const signal = AbortSignal.any([entry.abort.signal, AbortSignal.timeout(DEADLINE)]);
  try {
    entry.identity = { state: 'known', identity: await manager.identity(signal) };
  } catch (error) {
    const refusal =
      error instanceof ManagerError
        ? error
        : new ManagerError('ManagerUnavailable', 'the backend did not answer in time');
    entry.identity = { state: 'refused', error: refusal };
  }
  answered();
}
