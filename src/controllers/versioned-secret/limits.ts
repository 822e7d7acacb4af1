import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import { defaultLimits } from '../../managers/embedded/backend.ts';
import type { ManagerObject } from '../secret-manager/manager-object.ts';

/** What a namespace may keep, and who says so. */
export interface NamespaceLimits extends EmbeddedLimits {
  /** The ClusterSecretManager that grants the most secrets; undefined where none keeps secrets there. */
  readonly manager: string | undefined;
}

/** What a namespace may keep: the most that any embedded manager grants that keeps secrets there. */
export function limitsFor(namespace: string, managers: readonly ManagerObject[]): NamespaceLimits {
  const granted = managers.flatMap(({ kind, metadata, spec }) => {
    if (kind !== 'ClusterSecretManager' || spec.embedded === undefined || !('limits' in spec.embedded)) return [];
    const keeps = spec.embedded.namespace === undefined || spec.embedded.namespace === namespace;
    return keeps ? [{ name: metadata.name, ...spec.embedded.limits }] : [];
  });
  const [most] = granted.toSorted((a, b) => b.secrets - a.secrets || (a.name < b.name ? -1 : 1));
  if (most === undefined) return { ...defaultLimits, manager: undefined };
  return {
    secrets: most.secrets,
    valueBytes: Math.max(...granted.map(({ valueBytes }) => valueBytes)),
    versions: Math.max(...granted.map(({ versions }) => versions)),
    manager: most.name,
  };
}

/** Why a namespace takes no more secrets, and how it would. */
export function tooManySecrets(namespace: string, { secrets, manager }: NamespaceLimits): string {
  const where = manager === undefined ? 'a ClusterSecretManager' : `ClusterSecretManager ${manager}`;
  const more = `embedded: {limits: {secrets: ${secrets * 2}}}`;
  return `namespace ${namespace} may keep ${secrets} secrets, and has that many older ones: delete some, or raise the limit of ${where}: ${more}`;
}
