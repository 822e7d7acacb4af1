import { createHash } from 'node:crypto';
import { labels } from '../../api/v1/names.ts';
import {
  type SecretVersionSpec,
  type SecretVersionStatus,
  secretVersionSpecSchema,
  secretVersionStatusSchema,
} from '../../api/v1/secret-version.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { pickMetadata } from '../metadata.ts';

/** A `SecretVersion` as the caches hold it: of what is sealed only what tells it from another. */
export interface SecretVersion extends KubeObject {
  readonly spec: Omit<SecretVersionSpec, 'sealed'>;
  /** By public key: SHA-256 of what is sealed to it. */
  readonly digests: ReadonlyMap<string, string>;
  readonly status: SecretVersionStatus;
}

/** @throws ZodError for an object that the CRD would refuse. */
export function toSecretVersion(raw: RawObject): SecretVersion {
  const { sealed = [], ...spec } = secretVersionSpecSchema.parse(raw['spec']);
  return {
    metadata: { ...pickMetadata(raw.metadata, []), labels: ownLabels(raw.metadata.labels) },
    spec,
    digests: new Map(sealed.map(({ key, data }) => [key, digestOf(data)])),
    status: secretVersionStatusSchema.safeParse(raw['status'] ?? {}).data ?? {},
  };
}

/** Whoever makes a version may write a quarter of a megabyte of others onto it, and this is the memory of all. */
function ownLabels(all: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const trim = all[labels.trim];
  return trim === undefined ? {} : { [labels.trim]: trim };
}

/** What an object has sealed to one key, in base64. @throws ZodError */
export function sealedIn(raw: RawObject, key: string): string | undefined {
  const { sealed = [] } = secretVersionSpecSchema.parse(raw['spec']);
  return sealed.find((entry) => entry.key === key)?.data;
}

/** Of the sealed bytes, never of a value. */
export function digestOf(data: string): string {
  return createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex');
}

/** What the CLI or the library put, which may be deleted: all else belongs to whoever applies it. */
export function isOurs({ metadata, spec }: SecretVersion): boolean {
  return metadata.labels[labels.trim] === 'true' || spec.createdBy !== undefined;
}

/** Indexes of the store of versions. */
export const secretVersionIndexes = {
  secret: ({ metadata, spec }: SecretVersion): readonly string[] => [`${metadata.namespace}/${spec.secret}`],
} as const;
