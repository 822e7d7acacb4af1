import { z } from 'zod';
import { conditionSchema } from './conditions.ts';

/** Static AWS keys in a Secret: of the manager's own namespace, or for a cluster manager of the operator's. */
export const awsSecretRefSchema = z.object({
  name: z.string(),
  accessKeyIdKey: z.string().default('access-key-id'),
  secretAccessKeyKey: z.string().default('secret-access-key'),
  sessionTokenKey: z.string().optional(),
});

/** What a namespaced manager may set: its own credentials and nothing about where the operator connects. */
export const awsSchema = z.object({
  region: z.string().optional(),
  prefix: z.string().optional(),
  auth: z.object({ secretRef: awsSecretRefSchema }).optional(),
});

export const clusterAwsSchema = z.object({
  region: z.string().optional(),
  prefix: z.string().optional(),
  auth: z.object({ secretRef: awsSecretRefSchema.optional(), instanceMetadata: z.boolean().default(false) }).optional(),
  roleArn: z.string().optional(),
  /** For both services, Secrets Manager and STS: VPC endpoints, test servers. */
  endpoint: z.string().optional(),
  /** PEM certificates that are trusted for the endpoint instead of the system's. */
  caBundle: z.string().optional(),
  proxy: z.string().optional(),
});

export const accessRuleSchema = z.object({
  namespaces: z.object({
    names: z.array(z.string()).optional(),
    selector: z
      .object({
        matchLabels: z.record(z.string(), z.string()).optional(),
        matchExpressions: z
          .array(
            z.object({
              key: z.string(),
              operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
              values: z.array(z.string()).optional(),
            }),
          )
          .optional(),
      })
      .optional(),
  }),
  secrets: z.array(z.string()),
});

const common = {
  pollInterval: z.string().default('5m'),
  contact: z.string().optional(),
};

export const secretManagerSpecSchema = z.object({ aws: awsSchema.optional(), ...common });

export const clusterSecretManagerSpecSchema = z.object({
  aws: clusterAwsSchema.optional(),
  ...common,
  access: z.array(accessRuleSchema),
  /** What becomes of a target whose access rule was withdrawn. */
  onRevoked: z.enum(['Retain', 'Delete']).default('Retain'),
});

export const managerStatusSchema = z.object({
  observedGeneration: z.int().optional(),
  conditions: z.array(conditionSchema).optional(),
  backend: z.string().optional(),
  identity: z.string().optional(),
  secretsInUse: z.int().optional(),
  referencesInUse: z.int().optional(),
});

export type AccessRule = z.infer<typeof accessRuleSchema>;
export type AwsSecretRef = z.infer<typeof awsSecretRefSchema>;
export type AwsSpec = z.infer<typeof awsSchema>;
export type ClusterAwsSpec = z.infer<typeof clusterAwsSchema>;
export type SecretManagerSpec = z.infer<typeof secretManagerSpecSchema>;
export type ClusterSecretManagerSpec = z.infer<typeof clusterSecretManagerSpecSchema>;
export type ManagerStatus = z.infer<typeof managerStatusSchema>;
