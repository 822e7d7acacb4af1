import type { ManagerRef } from '../api/v1/secret-reference.ts';
import type { Request } from '../runtime/request.ts';

export type ManagerKind = ManagerRef['kind'];

/** One manager object as the key of a map: `ClusterSecretManager/name` or `SecretManager/namespace/name`. */
export function managerKey(ref: ManagerRef, namespace: string): string {
  return ref.kind === 'SecretManager' ? `SecretManager/${namespace}/${ref.name}` : `ClusterSecretManager/${ref.name}`;
}

/** The inverse of `managerKey`. */
export function parseManagerKey(key: string): Request & { readonly kind: ManagerKind } {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  if (parts[0] !== 'SecretManager') return { kind: 'ClusterSecretManager', namespace: '', name };
  return { kind: 'SecretManager', namespace: parts[1] ?? '', name };
}

/** How a status names a manager: `ClusterSecretManager/default`. A namespaced one is always of the reference's own namespace. */
export function managerLabel(key: string): string {
  const { kind, name } = parseManagerKey(key);
  return `${kind}/${name}`;
}

/** How messages name a manager: `ClusterSecretManager default`. */
export function managerTitle(key: string): string {
  const { kind, name } = parseManagerKey(key);
  return `${kind} ${name}`;
}
