import type { Consumer } from '../../api/v1/rollout.ts';
import { stuckPod } from '../rollout/pods.ts';
import type { Reference } from './reference.ts';
import { consumedTarget, type RolloutScope } from './rollout-findings.ts';

/** Milliseconds in which a StatefulSet may get on by itself. */
const PATIENCE = 20_000;

/**
 * A StatefulSet that replaces its pods in order waits for a pod to become ready before it replaces it, also where that can't happen, as the pod runs on
 * bad content: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback. It goes on when the pod is deleted.
 */
export async function judgeStuck(
  scope: RolloutScope,
  reference: Reference,
  consumers: readonly Consumer[],
  now: number,
  signal: AbortSignal,
): Promise<{ readonly consumers: readonly Consumer[]; readonly lookAgain: number | undefined }> {
  const target = consumedTarget(reference);
  let lookAgain: number | undefined;
  const judged: Consumer[] = [];
  for (const consumer of consumers) {
    const workload = mayBeStuck(consumer)
      ? scope.workloads.get(consumer.kind, target.namespace, consumer.name)
      : undefined;
    const left = Date.parse(consumer.since ?? '') + PATIENCE - now;
    if (left > 0) lookAgain = Math.min(left, lookAgain ?? left);
    const pods = workload === undefined || left > 0 ? [] : await scope.podsOf(workload, signal);
    const pod = stuckPod(pods, target.marker, consumer.content ?? '');
    if (pod === undefined || workload === undefined) {
      judged.push(consumer);
      continue;
    }
    await scope.unstick?.(workload, pod, signal);
    const message = `it waits for pod ${pod.name}, which is not ready on older content: kubectl delete pod -n ${target.namespace} ${pod.name}`;
    judged.push({ ...consumer, state: 'Stuck', message });
  }
  return { consumers: judged, lookAgain };
}

function mayBeStuck({ kind, state }: Consumer): boolean {
  return kind === 'StatefulSet' && (state === 'Progressing' || state === 'Failed');
}
