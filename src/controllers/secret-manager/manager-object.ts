import {
  clusterSecretManagerSpecSchema,
  type ManagerStatus,
  managerStatusSchema,
  secretManagerSpecSchema,
} from '../../api/v1/secret-manager.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import type { ManagerDeclaration } from '../../managers/registry.ts';
import { managerKey } from '../manager-key.ts';
import { pickMetadata } from '../metadata.ts';

/** A `SecretManager` or `ClusterSecretManager` as the caches hold it. */
export type ManagerObject = KubeObject & ManagerDeclaration & { readonly status: ManagerStatus };

/** @throws ZodError for an object that the CRD would refuse. */
export function toSecretManager(raw: RawObject): ManagerObject {
  return {
    kind: 'SecretManager',
    metadata: pickMetadata(raw.metadata, []),
    spec: secretManagerSpecSchema.parse(raw['spec']),
    status: parseStatus(raw['status']),
  };
}

/** @throws ZodError for an object that the CRD would refuse. */
export function toClusterSecretManager(raw: RawObject): ManagerObject {
  return {
    kind: 'ClusterSecretManager',
    metadata: pickMetadata(raw.metadata, []),
    spec: clusterSecretManagerSpecSchema.parse(raw['spec']),
    status: parseStatus(raw['status']),
  };
}

function parseStatus(raw: unknown): ManagerStatus {
  const parsed = managerStatusSchema.safeParse(raw ?? {});
  return parsed.success ? parsed.data : {};
}

export function keyOf(object: ManagerObject): string {
  return managerKey({ kind: object.kind, name: object.metadata.name }, object.metadata.namespace);
}
