import type { HeldVersion } from '../../api/v1/secret-reference.ts';
import type { AccessedVersion } from '../../managers/manager.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { managerLabel, managerTitle } from '../manager-key.ts';
import { ContentError } from './content/content-error.ts';
import { definite, type Failure } from './failure.ts';
import type { Answer } from './reader.ts';
import type { Reference } from './reference.ts';
import { selectorText } from './selection.ts';

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

/**
 * A pinned version stays the one that the target holds: where its secret was created again, another one can come to have its id, and is refused.
 */
export function keepPinned(reference: Reference, resolution: Resolution, what: string): Resolution {
  if (resolution.state !== 'resolved') return resolution;
  const held = reference.status.versions ?? [];
  for (const { origin } of resolution.keys) {
    if (origin === undefined || !held.some((version) => isReplaced(version, origin))) continue;
    const message = `${what} (${managerTitle(origin.manager)}): the secret was created again, and its version ${origin.version} is not the one that the Secret holds. To take it, let go of the version first, then name it again`;
    return { state: 'failed', failure: definite('VersionNotFound', message) };
  }
  return resolution;
}

function isReplaced(held: HeldVersion, origin: Origin): boolean {
  const pinned = origin.requested === selectorText({ kind: 'version', version: origin.version });
  const same =
    held.manager === managerLabel(origin.manager) &&
    held.secret === origin.secret &&
    held.requested === origin.requested;
  return pinned && same && held.identity !== origin.identity;
}
