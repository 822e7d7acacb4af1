import { z } from 'zod';
import { annotations, labels } from '../../api/v1/names.ts';
import { objectMetaSchema, type RawObject } from '../../kube/object.ts';

const managedFieldSchema = z.object({
  manager: z.string().optional(),
  fieldsV1: z.record(z.string(), z.unknown()).optional(),
});

const secretSchema = z.object({
  metadata: objectMetaSchema.extend({ managedFields: z.array(managedFieldSchema).default([]) }),
  type: z.string().default('Opaque'),
  immutable: z.boolean().default(false),
  data: z.record(z.string(), z.string()).default({}),
});

/** A native Secret as it is read for a comparison. `data` is base64; it goes nowhere but into that comparison. */
export type ExistingSecret = z.infer<typeof secretSchema>;

export function toExistingSecret(raw: RawObject): ExistingSecret {
  return secretSchema.parse(raw);
}

/** Each reference writes under a field manager of its own, so that what it wrote can be told from what others did. */
export function fieldManagerOf(referenceUid: string): string {
  return `keyferry-${referenceUid}`;
}

/** Uid of the reference that owns a target whole; undefined where none does. */
export function ownerUid(secret: Pick<ExistingSecret, 'metadata'>): string | undefined {
  if (secret.metadata.labels[labels.target] !== 'owned') return undefined;
  return secret.metadata.annotations[annotations.referenceUid];
}

/** Annotation that says which reference has keys in a merged Secret. */
export function mergedAnnotation(referenceUid: string): string {
  return `${annotations.merged}${referenceUid}`;
}

/** Uids of the references that have keys in a merged Secret. */
export function mergedUids(metadata: Pick<ExistingSecret['metadata'], 'annotations'>): readonly string[] {
  return Object.keys(metadata.annotations)
    .filter((name) => name.startsWith(annotations.merged))
    .map((name) => name.slice(annotations.merged.length));
}

/** The labels and annotations that a reference set before, by the API server's own record. */
export function metadataWrittenBy(
  secret: ExistingSecret,
  fieldManager: string,
  field: 'labels' | 'annotations',
): readonly string[] {
  const metadataFields = secret.metadata.managedFields
    .filter((entry) => entry.manager === fieldManager)
    .map((entry) => fieldsOf(fieldsOf(entry.fieldsV1, 'f:metadata'), `f:${field}`));
  const names = metadataFields.flatMap((fields) => Object.keys(fields ?? {}));
  return [...new Set(names.filter((name) => name.startsWith('f:')).map((name) => name.slice(2)))];
}

const fieldsSchema = z.record(z.string(), z.unknown());

function fieldsOf(parent: unknown, name: string): Record<string, unknown> | undefined {
  const fields = fieldsSchema.safeParse(parent);
  if (!fields.success) return undefined;
  const child = fieldsSchema.safeParse(fields.data[name]);
  return child.success ? child.data : undefined;
}
