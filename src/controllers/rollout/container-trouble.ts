import { z } from 'zod';

const endSchema = z.object({ exitCode: z.int(), reason: z.string().default('') });
type End = z.infer<typeof endSchema>;

export const containerStatusSchema = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.int().default(0),
  state: z
    .object({
      waiting: z.object({ reason: z.string().default('') }).optional(),
      running: z.object({ startedAt: z.string().nullish() }).optional(),
      terminated: endSchema.optional(),
    })
    .default({}),
  lastState: z.object({ terminated: endSchema.optional() }).default({}),
});
type ContainerStatus = z.infer<typeof containerStatusSchema>;

/** Why a container keeps its pod from being ready. */
export interface ContainerTrouble {
  readonly reason: string;
  /** What it runs is the cause, as far as one can tell. */
  readonly blames: boolean;
}

/** Of the kubelet: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go */
const imageReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** Ends of what never ran, because its command can't be started, or of what nobody saw ending, because its node went down. */
const provesNothing: ReadonlySet<string> = new Set([
  'StartError',
  'ContainerCannotRun',
  'ContainerStatusUnknown',
  'Unknown',
]);

export function hasStarted({ state, lastState, restartCount }: ContainerStatus): boolean {
  return (
    state.running !== undefined ||
    [state, lastState].some(({ terminated }) => isRealEnd(terminated)) ||
    restartCount > 0
  );
}

/** When a container that never ended began to run (RFC 3339); undefined where it ended before, or does not run. */
export function runningSince({ state, lastState, restartCount }: ContainerStatus): string | undefined {
  return restartCount > 0 || isRealEnd(lastState.terminated) ? undefined : (state.running?.startedAt ?? undefined);
}

/**
 * What is wrong with a container of a pod that is not ready.
 * @param role `init` for one that has to end before others start; sidecars count as `app`
 */
export function troubleOf(status: ContainerStatus, role: 'app' | 'init'): ContainerTrouble | undefined {
  const { state, lastState, ready } = status;
  const { waiting, running, terminated } = state;
  if (terminated !== undefined) {
    return role === 'init' && terminated.exitCode === 0 ? undefined : troubleOfEnd(terminated);
  }
  if (running !== undefined) {
    if (role === 'init') return { reason: 'Initializing', blames: true };
    return ready ? undefined : { reason: 'Unready', blames: true };
  }
  return troubleOfWaiting(waiting?.reason ?? '', lastState.terminated);
}

function troubleOfEnd({ exitCode, reason }: End): ContainerTrouble {
  if (reason === 'OOMKilled') return { reason, blames: true };
  if (provesNothing.has(reason)) return { reason, blames: false };
  return { reason: exitCode === 0 ? 'Completed' : 'Crashed', blames: true };
}

function troubleOfWaiting(reason: string, before: End | undefined): ContainerTrouble {
  if (imageReasons.has(reason)) return { reason: 'ImagePull', blames: false };
  if (reason === 'CrashLoopBackOff') return { reason, blames: before === undefined || isRealEnd(before) };
  if (reason === 'CreateContainerConfigError') return { reason, blames: false };
  return isRealEnd(before) ? { reason: 'Crashed', blames: true } : { reason: 'Pending', blames: false };
}

function isRealEnd(end: End | undefined): boolean {
  return end !== undefined && !provesNothing.has(end.reason);
}
