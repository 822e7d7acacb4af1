import type { ManagerError } from './errors.ts';
import type { SecretValue } from './secret-value.ts';

/** Which version of a secret is meant. `latest` is what the manager now hands out by default; a stage is its own label. */
export type Selector =
  | { readonly kind: 'latest' }
  | { readonly kind: 'stage'; readonly stage: string }
  | { readonly kind: 'version'; readonly version: string };

/** One thing to read. `secret` is the full name in the backend, with the manager object's prefix. */
export interface Selection {
  readonly secret: string;
  readonly selector: Selector;
}

/** A version and its value, as the manager gave it. */
export interface AccessedVersion {
  readonly version: string;
  /** `<version>@<what tells this secret from an earlier one of the same name>`: never comes back, unlike ids and names. */
  readonly identity: string;
  readonly value: SecretValue;
}

/** One answer per selection: the version, or why not. */
export type AccessResult = AccessedVersion | ManagerError;

export interface SecretSummary {
  readonly secret: string;
  /** As people wrote it, where `secret` is folded: what keys are named after. */
  readonly name?: string;
  readonly tags: ReadonlyMap<string, string>;
}

export interface VersionSummary {
  readonly version: string;
  readonly stages: readonly string[];
  readonly createdAt: Date | undefined;
}

export interface FindQuery {
  /** Full names begin with it, exactly. */
  readonly prefix: string;
  /** All of them, exactly. */
  readonly tags: ReadonlyMap<string, string>;
}

/** What a manager can do: honest, so that a reference is refused with a reason instead of failing oddly. */
export interface Capabilities {
  readonly stages: boolean;
  readonly tags: boolean;
  readonly put: boolean;
  /** The most selections of `latest` that cost one backend call. */
  readonly batchSize: number;
}

/**
 * A secret manager, seen with one set of credentials. Methods reject with `ManagerError` only (or with the signal's reason after an
 * abort), and do not retry by themselves: the source decides when to ask again.
 */
export interface SecretManager {
  readonly capabilities: Capabilities;
  /**
   * Reads a batch; results in the order of the selections. All selections of one secret in one call are answered from one moment, so that
   * latest and a stage never show two sides of a rotation. Rejects where nothing at all could be asked.
   */
  access(selections: readonly Selection[], signal: AbortSignal): Promise<readonly AccessResult[]>;
  /** All secrets that match, complete or not at all: a missing page rejects. */
  list(query: FindQuery, signal: AbortSignal): Promise<readonly SecretSummary[]>;
  /** Looks at one secret without its value. Rejects with `SecretNotFound` where it does not exist. */
  describe(secret: string, signal: AbortSignal): Promise<SecretSummary>;
  /** The versions of one secret that can be read, newest first. */
  versions(secret: string, signal: AbortSignal): Promise<readonly VersionSummary[]>;
  /** Makes a new version, which becomes latest; creates the secret where it does not exist. Resolves to the new version's id. */
  put(secret: string, value: SecretValue, signal: AbortSignal): Promise<string>;
  /** Who the backend says we are, for the manager's status: an ARN, a role. */
  identity(signal: AbortSignal): Promise<string>;
  close(): void;
}
