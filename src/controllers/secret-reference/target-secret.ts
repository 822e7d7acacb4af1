import { z } from 'zod';
import { annotations } from '../../api/v1/names.ts';
import { objectMetaSchema, type RawObject } from '../../kube/object.ts';

/** Loose: an entry that is written back must stay whole. */
const managedFieldSchema = z.looseObject({
  manager: z.string().optional(),
  time: z.string().optional(),
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

/** Uid of the reference that owns a target whole; undefined where none does. The label does not decide: somebody may have taken it off. */
export function ownerUid(secret: Pick<ExistingSecret, 'metadata'>): string | undefined {
  return secret.metadata.annotations[annotations.referenceUid];
}

/** Annotation that says which reference has keys in a merged Secret. */
export function mergedAnnotation(referenceUid: string): string {
  return `${annotations.merged}${referenceUid}`;
}

/** The annotations of a target that name its content now and before. In a shared Secret each reference has a pair of its own. */
export interface ContentNames {
  readonly content: string;
  readonly previous: string;
}

export function contentNames(mergedBy: string | undefined): ContentNames {
  if (mergedBy === undefined) return { content: annotations.content, previous: annotations.previous };
  return { content: annotations.mergedContent + mergedBy, previous: annotations.mergedPrevious + mergedBy };
}

/** When a field manager last wrote to a Secret, by the API server's own record. */
export function lastWrittenBy(secret: ExistingSecret, fieldManager: string): string | undefined {
  const times = secret.metadata.managedFields.flatMap(({ manager, time }) =>
    manager === fieldManager && time !== undefined ? [time] : [],
  );
  return times.toSorted().at(-1);
}

/** All annotations that a reference has in a merged Secret. */
export function mergedAnnotations(referenceUid: string): readonly string[] {
  const { content, previous } = contentNames(referenceUid);
  return [mergedAnnotation(referenceUid), content, previous];
}

/** Uids of the references that have keys in a merged Secret. */
export function mergedUids(metadata: Pick<ExistingSecret['metadata'], 'annotations'>): readonly string[] {
  return Object.keys(metadata.annotations)
    .filter((name) => name.startsWith(annotations.merged))
    .map((name) => name.slice(annotations.merged.length));
}

/** The labels and annotations that a field manager set before and no other, by the API server's own record. */
export function metadataWrittenBy(
  secret: ExistingSecret,
  fieldManager: string,
  field: 'labels' | 'annotations',
): readonly string[] {
  const select: Select = (fields) => fieldsOf(fieldsOf(fields, 'f:metadata'), `f:${field}`);
  const others = new Set(namesWritten(secret, (manager) => manager !== fieldManager, select));
  return namesWritten(secret, (manager) => manager === fieldManager, select).filter((name) => !others.has(name));
}

/** The keys that a field manager set before, by the API server's own record. */
export function keysWrittenBy(secret: ExistingSecret, fieldManager: string): readonly string[] {
  return namesWritten(
    secret,
    (manager) => manager === fieldManager,
    (fields) => fieldsOf(fields, 'f:data'),
  );
}

/** The field managers that answer for a key. None where the record was lost, or the key was let go. */
export function writersOf(secret: ExistingSecret, key: string): readonly string[] {
  const entries = secret.metadata.managedFields.filter(
    (entry) => fieldsOf(entry.fieldsV1, 'f:data')?.[`f:${key}`] !== undefined,
  );
  return [...new Set(entries.map((entry) => entry.manager ?? 'somebody'))];
}

type Fields = Readonly<Record<string, unknown>>;
type Select = (fields: Fields | undefined) => Fields | undefined;

function namesWritten(
  secret: ExistingSecret,
  isOne: (manager: string | undefined) => boolean,
  select: Select,
): readonly string[] {
  const entries = secret.metadata.managedFields.filter((entry) => isOne(entry.manager));
  const names = entries.flatMap((entry) => Object.keys(select(entry.fieldsV1) ?? {}));
  return [...new Set(names.filter((name) => name.startsWith('f:')).map((name) => name.slice(2)))];
}

const fieldsSchema = z.record(z.string(), z.unknown());

function fieldsOf(parent: unknown, name: string): Fields | undefined {
  const fields = fieldsSchema.safeParse(parent);
  if (!fields.success) return undefined;
  const child = fieldsSchema.safeParse(fields.data[name]);
  return child.success ? child.data : undefined;
}
