import { z } from 'zod';
import { secretVersionSpecSchema, secretVersionStatusSchema } from '../../../api/v1/secret-version.ts';
import { versionedSecretSpecSchema, versionedSecretStatusSchema } from '../../../api/v1/versioned-secret.ts';
import { objectMetaSchema, type RawObject } from '../../../kube/object.ts';
import { ManagerError } from '../../errors.ts';

const secretSchema = z.object({
  metadata: objectMetaSchema,
  spec: versionedSecretSpecSchema.prefault({}),
  status: versionedSecretStatusSchema.prefault({}),
});
/** A VersionedSecret as the API server has it. */
export type SecretObject = z.infer<typeof secretSchema>;

const versionSchema = z.object({
  metadata: objectMetaSchema,
  spec: secretVersionSpecSchema,
  status: secretVersionStatusSchema.prefault({}),
});
/** A SecretVersion as the API server has it. */
export type VersionObject = z.infer<typeof versionSchema>;

/** @throws ManagerError where it is of a form that this build does not know */
export function toSecret(object: RawObject): SecretObject {
  return parsed(secretSchema, object, 'VersionedSecret');
}

/** @throws ManagerError where it is of a form that this build does not know */
export function toVersion(object: RawObject): VersionObject {
  return parsed(versionSchema, object, 'SecretVersion');
}

/** The secret's name as people wrote it. */
export function nameOf({ metadata, spec }: Pick<SecretObject, 'metadata' | 'spec'>): string {
  return spec.name ?? metadata.name;
}

export function parsed<T>(schema: z.ZodType<T>, object: RawObject, kind: string): T {
  const { success, data } = schema.safeParse(object);
  if (success) return data;
  const { namespace, name } = object.metadata;
  const where = namespace === '' ? name : `${namespace}/${name}`;
  throw new ManagerError(
    'ManagerUnavailable',
    `${kind} ${where} has a form that this version does not know: use the keyferry of the same version as the operator`,
  );
}
