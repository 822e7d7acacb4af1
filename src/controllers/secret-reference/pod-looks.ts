import { KubeError } from '../../kube/errors.ts';
import type { WorkloadPod } from '../rollout/pods.ts';
import type { Workload } from '../rollout/workload.ts';
import type { RolloutScope } from './rollout-findings.ts';

/** Looks at pods in one look at a reference: few, as each is a list, and what can't be seen holds up nothing. */
export interface PodLooks {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Nothing where it may not be seen, or was seen often enough this time. */
  podsOf(workload: Workload): Promise<readonly WorkloadPod[]>;
  /** Deletes a pod. False where that is left to people. */
  unstick(workload: Workload, pod: WorkloadPod): Promise<boolean>;
}

/** Lists of pods in one look. A reference with more failing consumers tells of the first. */
const MOST_LISTS = 5;

export function createPodLooks(scope: RolloutScope, now: number, signal: AbortSignal): PodLooks {
  let lists = 0;
  return {
    now,
    async podsOf(workload) {
      lists += 1;
      return lists > MOST_LISTS ? [] : ((await optional(scope.podsOf(workload, signal))) ?? []);
    },
    async unstick(workload, pod) {
      if (scope.unstick === undefined) return false;
      return (await optional(scope.unstick(workload, pod, signal).then(() => true))) ?? false;
    },
  };
}

/** An answer that is no is as good as none; the stop of the process is not caught. */
async function optional<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KubeError) return undefined;
    throw error;
  }
}
