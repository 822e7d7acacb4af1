import { z } from 'zod';

/** An object as it is sent to the API server. */
export type KubeBody = Readonly<Record<string, unknown>>;

const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string(), uid: z.string() })).default([]),
  finalizers: z.array(z.string()).default([]),
});

/** An object as the API server gives it. */
export const objectSchema = z.looseObject({ metadata: metadataSchema });
export type ApiObject = z.infer<typeof objectSchema>;

/** A list of them. */
export const listSchema = z.object({ items: z.array(objectSchema) });
