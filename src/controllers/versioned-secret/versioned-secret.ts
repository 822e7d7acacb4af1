import { secretObjectName } from '../../api/v1/embedded-name.ts';
import {
  type VersionedSecretSpec,
  type VersionedSecretStatus,
  versionedSecretSpecSchema,
  versionedSecretStatusSchema,
} from '../../api/v1/versioned-secret.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { pickMetadata } from '../metadata.ts';

/** A `VersionedSecret` as the caches hold it. */
export interface VersionedSecret extends KubeObject {
  readonly spec: VersionedSecretSpec;
  readonly status: VersionedSecretStatus;
}

/**
 * A status that can't be read is not taken for an empty one: which versions were accepted, and which numbers are gone, stands in it.
 * @throws ZodError
 */
export function toVersionedSecret(raw: RawObject): VersionedSecret {
  return {
    metadata: pickMetadata(raw.metadata, []),
    spec: versionedSecretSpecSchema.parse(raw['spec']),
    status: versionedSecretStatusSchema.parse(raw['status'] ?? {}),
  };
}

/** The secret's name as people wrote it. */
export function writtenName({ metadata, spec }: VersionedSecret): string {
  return spec.name ?? metadata.name;
}

/** Whether the object has the name that its secret's name leads to. One that has not would never be found, or be a second one of that name. */
export function hasItsName(secret: VersionedSecret): boolean {
  return secret.metadata.name === secretObjectName(writtenName(secret));
}

/** Indexes of the store of secrets. */
export const versionedSecretIndexes = {
  namespace: ({ metadata }: VersionedSecret): readonly string[] => [metadata.namespace],
  type: ({ spec }: VersionedSecret): readonly string[] => (spec.type === undefined ? [] : [spec.type]),
} as const;
