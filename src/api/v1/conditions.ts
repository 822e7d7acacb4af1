import { z } from 'zod';

/** Reasons of the condition `Ready`. */
export const readyReasons = [
  'Synced',
  'SecretNotFound',
  'NoVersion',
  'VersionNotFound',
  'VersionDisabled',
  'PropertyNotFound',
  'AccessDenied',
  'ManagerNotFound',
  'ManagerUnavailable',
  'Throttled',
  'InvalidValue',
  'TemplateFailed',
  'TargetConflict',
  'LimitExceeded',
  'Suspended',
] as const;
export type ReadyReason = (typeof readyReasons)[number];

/** The shape of Kubernetes' metav1.Condition. */
export const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  observedGeneration: z.int().optional(),
  lastTransitionTime: z.string(),
});
export type Condition = z.infer<typeof conditionSchema>;
