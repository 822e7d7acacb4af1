import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import type { SecretValue } from '../secret-value.ts';

/** A secret as the operator knows it. */
export interface EmbeddedSecret {
  readonly namespace: string;
  /** Name of its VersionedSecret. */
  readonly object: string;
  /** Its name as people wrote it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** No reveal is answered. */
  readonly writeOnly: boolean;
  /** The version that latest is; undefined where there is none. */
  readonly latest: number | undefined;
  /** The enabled version before latest. */
  readonly previous: number | undefined;
  /** The accepted versions, newest first. */
  readonly versions: readonly StoredVersion[];
  /** Why it serves nobody at all; undefined where it does. */
  readonly problem: { readonly reason: 'NameMismatch' | 'LimitExceeded'; readonly message: string } | undefined;
}

/** What the embedded manager needs of the operator: its caches, and a way to open one version. */
export interface EmbeddedBackend {
  /** A secret by its name in any spelling of case. */
  find(namespace: string, name: string): EmbeddedSecret | undefined;
  /** A secret by the name of its object. */
  findObject(namespace: string, object: string): EmbeddedSecret | undefined;
  /** All secrets of a namespace. */
  list(namespace: string): readonly EmbeddedSecret[];
  /**
   * Reads one accepted version from the API server and opens it. Follows `from`. Rejects with `ManagerError`.
   */
  open(secret: EmbeddedSecret, version: StoredVersion, signal: AbortSignal): Promise<SecretValue>;
  /** The public key that values are sealed to, or why there is none; undefined while that is not known yet. */
  publicKey():
    | { readonly key: string; readonly backup?: string | undefined }
    | { readonly problem: string }
    | undefined;
}

/** What may be kept where no manager says otherwise. */
export const defaultLimits: EmbeddedLimits = { secrets: 100, valueBytes: 65_536, versions: 10 };
