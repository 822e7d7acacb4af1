import { type SecretTypeSpec, secretTypeSpecSchema } from '../../api/v1/secret-type.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { pickMetadata } from '../metadata.ts';

/** A `SecretType` as the caches hold it. */
export interface SecretTypeObject extends KubeObject {
  readonly spec: SecretTypeSpec;
}

/** @throws ZodError for an object that the CRD would refuse. */
export function toSecretType(raw: RawObject): SecretTypeObject {
  return { metadata: pickMetadata(raw.metadata, []), spec: secretTypeSpecSchema.parse(raw['spec']) };
}
