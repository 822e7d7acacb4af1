import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import { defaultLimits } from '../../managers/embedded/backend.ts';
import type { ManagerObject } from '../secret-manager/manager-object.ts';

/** What a namespace may keep: the most that any embedded manager grants that keeps secrets there. */
export function limitsFor(namespace: string, managers: readonly ManagerObject[]): EmbeddedLimits {
  const granted = managers.flatMap(({ kind, spec }) => {
    if (kind !== 'ClusterSecretManager' || spec.embedded === undefined || !('limits' in spec.embedded)) return [];
    const keeps = spec.embedded.namespace === undefined || spec.embedded.namespace === namespace;
    return keeps ? [spec.embedded.limits] : [];
  });
  if (granted.length === 0) return defaultLimits;
  return {
    secrets: Math.max(...granted.map(({ secrets }) => secrets)),
    valueBytes: Math.max(...granted.map(({ valueBytes }) => valueBytes)),
    versions: Math.max(...granted.map(({ versions }) => versions)),
  };
}
