import { foldName } from '../api/v1/embedded-name.ts';
import { fullEmbeddedName, missingSecret } from './embedded/names.ts';
import type { SecretSummary } from './manager.ts';

/** How references' names of secrets and those of a manager's source belong together. */
export interface SecretNames {
  /** The name in the source. `namespace` is that of the reference. */
  full(secret: string, namespace: string): string;
  /** What the names in the source begin with that a find by `prefix` is about. */
  prefix(prefix: string, namespace: string): string;
  /** The name that a reference would write for what a listing gave. */
  short(found: SecretSummary): string;
  /** The name as access rules look at it. */
  ruled(secret: string): string;
  /** Set where the secrets are kept in the cluster. */
  readonly embedded: EmbeddedPlace | undefined;
}

export interface EmbeddedPlace {
  /** The namespace that the secrets of a reference's namespace are kept in. */
  home(namespace: string): string;
  /** What a secret that is not there is told as, with the command that creates it. */
  missing(secret: string, namespace: string): string;
}

/** Names of a backend that knows nothing of namespaces: `prefix` is put before each that is not an ARN. */
export function prefixedNames(prefix: string): SecretNames {
  return {
    full: (secret) => (secret.startsWith('arn:') ? secret : `${prefix}${secret}`),
    prefix: (text) => `${prefix}${text}`,
    short: ({ secret }) => (secret.startsWith(prefix) ? secret.slice(prefix.length) : secret),
    ruled: (secret) => secret,
    embedded: undefined,
  };
}

/** Names of embedded secrets, `namespace/name`: case makes no difference. `kept` is the namespace of all of them; by default each asker's own. */
export function embeddedNames(kept: string | undefined): SecretNames {
  const home = (namespace: string): string => kept ?? namespace;
  return {
    full: (secret, namespace) => fullEmbeddedName(home(namespace), secret),
    prefix: (prefix, namespace) => fullEmbeddedName(home(namespace), prefix),
    short: ({ secret, name }) => name ?? secret.slice(secret.indexOf('/') + 1),
    ruled: foldName,
    embedded: { home, missing: (secret, namespace) => missingSecret(home(namespace), secret) },
  };
}
