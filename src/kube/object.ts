import { z } from 'zod';

/** Loose: where a list of owners is written back, each must stay whole. */
const ownerReferenceSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z.boolean().optional(),
});

/** The parts of object metadata that Keyferry reads. */
export const objectMetaSchema = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.number().default(0),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z.array(ownerReferenceSchema).default([]),
});

export type ObjectMeta = z.infer<typeof objectMetaSchema>;

/** What every cached object has. */
export interface KubeObject {
  readonly metadata: ObjectMeta;
}

/** An object as the API server sent it: JSON whose metadata was checked and whose other fields nobody has looked at yet. */
export interface RawObject extends KubeObject {
  readonly [field: string]: unknown;
}

export const rawObjectSchema = z.looseObject({ metadata: objectMetaSchema.loose() });
