import { z } from 'zod';
import { conditionSchema } from './conditions.ts';

export const managerRefSchema = z.object({
  kind: z.enum(['ClusterSecretManager', 'SecretManager']).default('ClusterSecretManager'),
  name: z.string().default('default'),
});

const optionalManagerRef = z.object({
  kind: z.enum(['ClusterSecretManager', 'SecretManager']).default('ClusterSecretManager'),
  name: z.string(),
});

export const dataEntrySchema = z.object({
  secret: z.string(),
  version: z.string().optional(),
  stage: z.string().optional(),
  property: z.string().optional(),
  decode: z.enum(['base64']).optional(),
  optional: z.boolean().optional(),
  default: z.string().optional(),
  managerRef: optionalManagerRef.optional(),
});

export const keysSchema = z.object({
  style: z.enum(['AsIs', 'EnvVar']).default('AsIs'),
  stripPrefix: z.string().optional(),
});

/** Exactly one of extract, find and versions. */
export const dataFromEntrySchema = z.object({
  extract: z
    .object({
      secret: z.string(),
      version: z.string().optional(),
      stage: z.string().optional(),
      property: z.string().optional(),
    })
    .optional(),
  find: z.object({ prefix: z.string().optional(), tags: z.record(z.string(), z.string()).optional() }).optional(),
  versions: z.object({ secret: z.string(), last: z.int() }).optional(),
  keys: keysSchema.optional(),
  managerRef: optionalManagerRef.optional(),
});

export const templateSchema = z.object({
  data: z.record(z.string(), z.string()).optional(),
  metadata: z
    .object({
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
});

export const secretTypes = [
  'Opaque',
  'kubernetes.io/tls',
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
] as const;

export const targetSchema = z.object({
  name: z.string().optional(),
  type: z.enum(secretTypes).default('Opaque'),
  ownership: z.enum(['Owner', 'Orphan', 'Merge']).default('Owner'),
});

export const secretReferenceSpecSchema = z.object({
  managerRef: managerRefSchema.prefault({}),
  refreshInterval: z.string().optional(),
  data: z.record(z.string(), dataEntrySchema).optional(),
  dataFrom: z.array(dataFromEntrySchema).optional(),
  template: templateSchema.optional(),
  target: targetSchema.prefault({}),
  suspend: z.boolean().default(false),
});

/** One version that the target holds. */
export const heldVersionSchema = z.object({
  manager: z.string(),
  secret: z.string(),
  /** `latest`, `stage NAME` or `version ID`. */
  requested: z.string(),
  version: z.string(),
  identity: z.string(),
  keys: z.array(z.string()),
  since: z.string(),
});

export const targetStatusSchema = z.object({
  name: z.string(),
  uid: z.string(),
  /** The Secret's resourceVersion after our last look at its bytes: another one means it may have drifted. */
  resourceVersion: z.string(),
  ownership: z.enum(['Owner', 'Orphan', 'Merge']),
  /** Hash of the recipe and the identities that the target was made from. */
  inputs: z.string(),
});

export const secretReferenceStatusSchema = z.object({
  observedGeneration: z.int().optional(),
  conditions: z.array(conditionSchema).optional(),
  versions: z.array(heldVersionSchema).optional(),
  summary: z.string().optional(),
  target: targetStatusSchema.optional(),
  lastChangeTime: z.string().optional(),
  /** The value of the annotation `keyferry.io/sync` that was last obeyed. */
  lastSyncRequest: z.string().optional(),
});

export type ManagerRef = z.infer<typeof managerRefSchema>;
export type DataEntry = z.infer<typeof dataEntrySchema>;
export type DataFromEntry = z.infer<typeof dataFromEntrySchema>;
export type KeyStyle = z.infer<typeof keysSchema>;
export type Template = z.infer<typeof templateSchema>;
export type SecretReferenceSpec = z.infer<typeof secretReferenceSpecSchema>;
export type SecretReferenceStatus = z.infer<typeof secretReferenceStatusSchema>;
export type HeldVersion = z.infer<typeof heldVersionSchema>;
export type TargetStatus = z.infer<typeof targetStatusSchema>;
