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

/** Reasons of the condition `RolledOut`. */
export const rolledOutReasons = [
  'Complete',
  'Progressing',
  'Waiting',
  'Paused',
  'Failed',
  'Reverted',
  'NothingToRollOut',
] as const;
export type RolledOutReason = (typeof rolledOutReasons)[number];

/** The shape of Kubernetes' metav1.Condition. */
export const conditionSchema = z.object({
  type: z.string().describe('What the condition is about: Ready, Stale, ...'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().describe('Why, as one word for programs.'),
  message: z.string().describe('Why, and what to do, as a sentence for people.'),
  observedGeneration: z.int().optional().describe('The metadata.generation that the condition was made from.'),
  lastTransitionTime: z.string().meta({ format: 'date-time', description: 'When status last changed.' }),
});
export type Condition = z.infer<typeof conditionSchema>;

/** The condition of one type in a status; undefined where nothing was said of it yet. */
export function conditionOf(
  status: { readonly conditions?: readonly Condition[] | undefined },
  type: string,
): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** The list of conditions of a status. The API server merges it by type. */
export function conditionList(description: string): z.ZodOptional<z.ZodArray<typeof conditionSchema>> {
  return z
    .array(conditionSchema)
    .meta({ description, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional();
}
