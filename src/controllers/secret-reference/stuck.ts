import type { Consumer } from '../../api/v1/rollout.ts';
import type { ConsumedTarget } from '../rollout/consumers.ts';
import { soonest } from '../soonest.ts';
import { stuckPod } from '../rollout/pods.ts';
import type { Workload } from '../rollout/workload.ts';
import type { PodLooks } from './pod-looks.ts';
import type { Reference } from './reference.ts';
import { consumedTarget, type RolloutScope } from './rollout-findings.ts';

/** Milliseconds in which a StatefulSet may get on by itself, and a pod of it become ready. */
const PATIENCE = 20_000;

/**
 * A StatefulSet that replaces its pods in order waits for a pod to become ready before it replaces it, also where that can't happen, as the pod runs on
 * bad content: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback. It goes on when the pod is deleted.
 */
export async function judgeStuck(
  scope: RolloutScope,
  reference: Reference,
  consumers: readonly Consumer[],
  looks: PodLooks,
): Promise<{ readonly consumers: readonly Consumer[]; readonly lookAgain: number | undefined }> {
  const target = consumedTarget(reference);
  const waits: number[] = [];
  const judged: Consumer[] = [];
  for (const consumer of consumers) {
    const workload = scope.workloads.get(consumer.kind, target.namespace, consumer.name);
    const suspect = workload !== undefined && mayBeStuck(consumer, workload) ? workload : undefined;
    const left = Date.parse(consumer.since ?? '') + PATIENCE - looks.now;
    if (suspect !== undefined) waits.push(left > 0 ? left : PATIENCE);
    const message =
      suspect === undefined || left > 0 ? undefined : await whatItWaitsFor(target, consumer, suspect, looks);
    judged.push(message === undefined ? consumer : { ...consumer, state: 'Stuck', message });
  }
  return { consumers: judged, lookAgain: soonest(waits) };
}

async function whatItWaitsFor(
  { marker, namespace }: ConsumedTarget,
  { content = '' }: Consumer,
  workload: Workload,
  looks: PodLooks,
): Promise<string | undefined> {
  const time = { now: looks.now, patience: PATIENCE };
  const pod = stuckPod(await looks.podsOf(workload), marker, content, time);
  if (pod === undefined) return undefined;
  const deleted = await looks.unstick(workload, pod);
  const help = deleted ? 'it was deleted' : `kubectl delete pod -n ${namespace} ${pod.name}`;
  return `it waits for pod ${pod.name}, which is not ready on older content: ${help}`;
}

function mayBeStuck({ state }: Consumer, { updates }: Workload): boolean {
  return updates === 'InOrder' && (state === 'Progressing' || state === 'Failed');
}
