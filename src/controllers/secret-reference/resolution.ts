import type { AccessedVersion } from '../../managers/manager.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { managerTitle } from '../manager-key.ts';
import { ContentError } from './content/content-error.ts';
import { definite, type Failure } from './failure.ts';
import type { Answer } from './reader.ts';

/** A Secret that nobody can read through is a mistake. */
export const MAX_KEYS = 500;

/** One key of the Secret and where its value came from. */
export interface ResolvedKey {
  readonly key: string;
  readonly value: SecretValue;
  /** Undefined for a `default`: it comes from no version. */
  readonly origin: Origin | undefined;
  /** The key's name may be told: it stands in the spec or in the manager's listing, not inside a value. */
  readonly listable: boolean;
}

export interface Origin {
  readonly manager: string;
  /** As the reference writes it. */
  readonly secret: string;
  readonly requested: string;
  readonly version: string;
  readonly identity: string;
}

export type Resolution =
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'resolved'; readonly keys: readonly ResolvedKey[] };

export function resolved(keys: readonly ResolvedKey[]): Resolution {
  return { state: 'resolved', keys };
}

export function originOf(manager: string, secret: string, requested: string, version: AccessedVersion): Origin {
  return { manager, secret, requested, version: version.version, identity: version.identity };
}

/** Goes on with what is known; anything else is the resolution already. */
export function chain<T>(answer: Answer<T>, then: (result: T) => Resolution): Resolution {
  if (answer.state === 'known') return then(answer.result);
  if (answer.state === 'pending') return answer;
  return { state: 'failed', failure: answer.failure };
}

/** What a value's content refuses (no such property, not JSON, ...) becomes the failure of `what`, which came from `manager`. */
export function guarded(what: string, manager: string, resolve: () => Resolution): Resolution {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    return { state: 'failed', failure: definite(error.reason, `${what} (${managerTitle(manager)}): ${error.message}`) };
  }
}
