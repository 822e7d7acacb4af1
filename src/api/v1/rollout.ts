import { z } from 'zod';
import { checks, duration, list, objectName } from './parts.ts';

/** Workloads whose pods can be replaced by a change of their template. */
export const rolledKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout', 'CronJob'] as const;
export type RolledKind = (typeof rolledKinds)[number];

/** Every kind that a status can name as a consumer. Pods and Jobs are left alone. */
export const consumerKinds = [...rolledKinds, 'Job', 'Pod'] as const;
export type ConsumerKind = (typeof consumerKinds)[number];

/** How a pod template uses a Secret. */
export const uses = ['env', 'envFrom', 'volume', 'imagePull'] as const;
export type Use = (typeof uses)[number];

/** So many workloads may be listed: each takes a question to the authorizer. */
export const maxListedWorkloads = 10;

const listedWorkloadSchema = z
  .object({
    kind: z
      .enum(rolledKinds)
      .default('Deployment')
      .describe('Deployment (the default), StatefulSet, DaemonSet, Rollout (Argo) or CronJob.'),
    name: objectName('Name of the workload, in the namespace of the SecretReference.'),
  })
  .describe('One workload. Whoever writes this needs the verb "patch" on it.');

export const rolloutSpecSchema = z
  .object({
    policy: z
      .enum(['Auto', 'Listed', 'Never'])
      .default('Auto')
      .describe(
        'Which workloads are rolled out when the content of the Secret changes. Auto: those whose pod template uses it. Listed: those of workloads. Never: none.',
      ),
    workloads: list(listedWorkloadSchema, {
      description: 'The workloads to roll out, with policy Listed.',
      maxItems: maxListedWorkloads,
    }).optional(),
    settle: duration(
      'How long a change waits for others, for example 2s (the default): targets that change within it cost a workload one rollout.',
      '5m',
      '2s',
    ).default('2s'),
    onFailure: z
      .enum(['None', 'Revert'])
      .default('None')
      .describe(
        'What happens when pods fail on a new version. None: it is reported. Revert: the Secret goes back to the versions that rolled out completely before, and stays there until there is yet another version.',
      ),
    progressDeadline: duration(
      'How long a rollout may take until it counts as failed, for example 10m (the default). At most 24h.',
      '24h',
    ).default('10m'),
  })
  .meta({
    description: 'Which workloads are rolled out when what the Secret holds changes.',
    ...checks(
      {
        rule: `(self.policy == 'Listed') == (has(self.workloads) && size(self.workloads) > 0)`,
        message:
          'policy Listed and workloads go together: rollout: {policy: Listed, workloads: [{kind: Deployment, name: api}]}',
      },
      {
        rule: `self.onFailure == 'None' || self.policy != 'Never'`,
        message: 'nothing is rolled out, so nothing can be reverted: give policy Auto or Listed with onFailure: Revert',
      },
    ),
  });

/** States of a consumer. */
export const consumerStates = [
  /** Its pods run the content. */
  'Complete',
  /** Its pods are being replaced. */
  'Progressing',
  /** Pods did not become ready. */
  'Failed',
  /** Marked; its pods are replaced when it is resumed. */
  'Paused',
  /** Due, but held back: by the settle window, the interval between rollouts or the budget. */
  'Waiting',
  /** Marked, with update strategy OnDelete: pods are replaced when somebody deletes them. */
  'WaitingForDelete',
  /** A partition holds some pods back. */
  'Partial',
  /** A StatefulSet that can't go on until somebody deletes a pod. */
  'Stuck',
  /** Reported only: a Pod, a Job, a CronJob without consent, opted out, or policy Never. */
  'LeftAlone',
] as const;
export type ConsumerState = (typeof consumerStates)[number];

export const consumerSchema = z
  .object({
    kind: z.enum(consumerKinds).describe('Kind of the workload.'),
    name: z.string().describe('Name of the workload.'),
    uid: z.string().describe('Uid of the workload. Another one of the same name is another consumer.'),
    uses: z.array(z.enum(uses)).describe('How its pod template uses the Secret.'),
    state: z.enum(consumerStates).describe('How far its rollout is.'),
    message: z.string().optional().describe('What it waits for, or what to do.'),
    content: z
      .string()
      .optional()
      .describe(
        'The content that its pods are known to run, as the Secret names it; "unknown" where it is other than any that Keyferry wrote. Without it: not rolled out.',
      ),
    versions: z
      .string()
      .optional()
      .describe(
        'The versions that its pod template is made for, in short: all of its pods run them once it is Complete.',
      ),
    replaces: z
      .array(z.string())
      .meta({
        description:
          'The versions, in short, that pods which are not replaced yet may still run; "unknown" where nobody knows. Without it: none.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
    template: z
      .string()
      .optional()
      .describe('Tells whether anybody but Keyferry changed the pod template since the rollout began.'),
    since: z.string().meta({ format: 'date-time', description: 'When its last rollout began.' }).optional(),
  })
  .describe('A workload that uses the Secret.');
export type Consumer = z.infer<typeof consumerSchema>;

export const versionSetSchema = z
  .object({
    content: z.string().describe('The content, as the Secret names it.'),
    inputs: z.string().describe('Hash of the recipe and the version identities.'),
    summary: z.string().describe('Its versions in short.'),
    versions: z
      .array(
        z.object({
          manager: z.string().describe('The manager, kind/name.'),
          secret: z.string().describe("The secret's name in the manager."),
          requested: z.string().describe('What the spec asks for.'),
          version: z.string().describe("The version's id."),
          identity: z.string().describe('Tells the version from another one with the same id.'),
        }),
      )
      .meta({ description: 'The versions.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('A set of versions that belong together.');
export type VersionSet = z.infer<typeof versionSetSchema>;

/** What guards a change: where to go back to, and whether that is possible. */
export const guardSchema = z
  .object({
    good: versionSetSchema,
    content: z.string().describe('The content that is being rolled out.'),
    refusal: z.string().optional().describe('Why a failure would not be answered by going back.'),
  })
  .describe('Where a failed rollout would go back to.');
export type Guard = z.infer<typeof guardSchema>;

export const heldSchema = z
  .object({
    bad: versionSetSchema,
    good: versionSetSchema,
    since: z.string().meta({ format: 'date-time', description: 'Since when.' }),
    why: z.string().describe('What failed.'),
    retry: z.string().optional().describe('Value of the annotation keyferry.io/retry when it went back.'),
  })
  .describe('After a failed rollout: the versions that are not taken, and those that the Secret holds instead.');
export type Held = z.infer<typeof heldSchema>;

export type RolloutSpec = z.infer<typeof rolloutSpecSchema>;
