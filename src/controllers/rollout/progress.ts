import { z } from 'zod';
import type { ConsumerKind } from '../../api/v1/rollout.ts';
import type { RawObject } from '../../kube/object.ts';
import type { Progress } from './workload.ts';

const complete: Progress = { state: 'Complete' };
const progressing: Progress = { state: 'Progressing' };

/**
 * How far the rollout of a workload is, as `kubectl rollout status` decides. Without replicas it is complete: nothing runs that could be old. What has
 * no status yet is progressing.
 * @throws ZodError for what the API server would refuse
 */
export function progressOf(kind: ConsumerKind, { metadata: { generation }, spec, status }: RawObject): Progress {
  return rules[kind]({ spec: spec ?? {}, status: status ?? {} }, generation);
}

const rules: Readonly<Record<ConsumerKind, (raw: object, generation: number) => Progress>> = {
  Deployment: (raw, generation) => ofDeployment(deploymentSchema.parse(raw), generation),
  StatefulSet: (raw, generation) => ofStatefulSet(statefulSetSchema.parse(raw), generation),
  DaemonSet: (raw, generation) => ofDaemonSet(daemonSetSchema.parse(raw), generation),
  Rollout: (raw, generation) => ofArgoRollout(argoRolloutSchema.parse(raw), generation),
  // The next Job takes the template as it is; Pods and Jobs are left alone.
  CronJob: () => complete,
  Job: () => complete,
  Pod: () => complete,
};

const count = z
  .int()
  .nullish()
  .transform((value) => value ?? 0);
const replicas = z
  .int()
  .nullish()
  .transform((value) => value ?? 1);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const updateStrategy = z
  .object({ type: z.string().nullish(), rollingUpdate: z.object({ partition: count }).nullish() })
  .nullish();

const deploymentSchema = z.object({
  spec: z.object({ replicas, paused: flag }),
  status: z.object({
    observedGeneration: count,
    replicas: count,
    updatedReplicas: count,
    availableReplicas: count,
    conditions: z.array(z.object({ type: z.string(), reason: z.string().nullish() })).nullish(),
  }),
});

function isObserved({ observedGeneration }: { observedGeneration: number }, generation: number): boolean {
  return observedGeneration > 0 && observedGeneration >= generation;
}

function ofDeployment({ spec, status }: z.infer<typeof deploymentSchema>, generation: number): Progress {
  const observed = isObserved(status, generation);
  if (observed && spec.replicas === 0 && status.replicas === 0) return complete;
  const detail = pods(Math.min(status.updatedReplicas, status.availableReplicas), spec.replicas);
  if (spec.paused) return { state: 'Paused', detail };
  if (!observed) return progressing;
  if (status.conditions?.some(isOverdue) === true) return { state: 'Failed', detail };
  const { updatedReplicas: updated, availableReplicas: available } = status;
  const done = updated >= spec.replicas && status.replicas <= updated && available >= updated;
  return done ? complete : { state: 'Progressing', detail };
}

function isOverdue({ type, reason }: { type: string; reason?: string | null | undefined }): boolean {
  return type === 'Progressing' && reason === 'ProgressDeadlineExceeded';
}

const statefulSetSchema = z.object({
  spec: z.object({ replicas, updateStrategy }),
  status: z.object({
    observedGeneration: count,
    replicas: count,
    updatedReplicas: count,
    readyReplicas: count,
  }),
});

/**
 * By counts alone. The revisions of a status tell less: the current one stays the old one for ever with OnDelete or a partition, and it is the new
 * one at once where a rollout goes back before it is complete.
 */
function ofStatefulSet({ spec, status }: z.infer<typeof statefulSetSchema>, generation: number): Progress {
  const { updatedReplicas: updated, readyReplicas: ready } = status;
  if (!isObserved(status, generation)) return progressing;
  if (updated >= spec.replicas && ready >= spec.replicas) return complete;
  const detail = pods(updated, spec.replicas);
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  if (type === 'OnDelete') {
    // A pod that is missing comes back as a new one.
    return { state: updated < status.replicas ? 'WaitingForDelete' : 'Progressing', detail };
  }
  const partition = rollingUpdate?.partition ?? 0;
  const held = partition > 0 && updated >= spec.replicas - partition;
  return { state: held && ready >= spec.replicas ? 'Partial' : 'Progressing', detail };
}

const daemonSetSchema = z.object({
  spec: z.object({ updateStrategy }),
  status: z.object({
    observedGeneration: count,
    currentNumberScheduled: count,
    desiredNumberScheduled: count,
    updatedNumberScheduled: count,
    numberAvailable: count,
  }),
});

function ofDaemonSet({ spec, status }: z.infer<typeof daemonSetSchema>, generation: number): Progress {
  const { desiredNumberScheduled: desired, updatedNumberScheduled: updated, numberAvailable: available } = status;
  if (!isObserved(status, generation)) return progressing;
  // A node without its pod yet waits for nobody.
  if (spec.updateStrategy?.type === 'OnDelete' && updated < status.currentNumberScheduled) {
    return { state: 'WaitingForDelete', detail: pods(updated, desired) };
  }
  if (updated >= desired && available >= desired) return complete;
  return { state: 'Progressing', detail: pods(Math.min(updated, available), desired) };
}

/** https://argo-rollouts.readthedocs.io/en/stable/features/specification/ */
const argoRolloutSchema = z.object({
  spec: z.object({ replicas, paused: flag }),
  status: z.object({
    observedGeneration: z.union([z.string(), z.number()]).nullish(),
    phase: z.string().nullish(),
    replicas: count,
    updatedReplicas: count,
    availableReplicas: count,
  }),
});

function ofArgoRollout({ spec, status }: z.infer<typeof argoRolloutSchema>, generation: number): Progress {
  const observed = isSeenByArgo(status.observedGeneration, generation);
  if (observed && spec.replicas === 0 && status.replicas === 0) return complete;
  const detail = pods(Math.min(status.updatedReplicas, status.availableReplicas), spec.replicas);
  if (spec.paused) return { state: 'Paused', detail };
  if (!observed) return progressing;
  if (status.phase === 'Healthy') return complete;
  if (status.phase === 'Paused') return { state: 'Paused', detail };
  return { state: status.phase === 'Degraded' ? 'Failed' : 'Progressing', detail };
}

/** Old releases of Argo Rollouts wrote a hash of the spec, which tells nothing here. */
function isSeenByArgo(observed: string | number | null | undefined, generation: number): boolean {
  if (observed === null || observed === undefined || observed === '') return false;
  const number = Number(observed);
  return Number.isNaN(number) || number >= generation;
}

/** "2 of 3 pods" */
function pods(some: number, all: number): string {
  return `${some} of ${all} pods`;
}
