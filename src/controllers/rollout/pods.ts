import { z } from 'zod';
import { annotations } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ObjectMeta, RawObject } from '../../kube/object.ts';
import {
  type ContainerTrouble,
  containerStatusSchema,
  hasStarted,
  runningSince,
  troubleOf,
} from './container-trouble.ts';
import { contentOfMarker } from './marker.ts';
import { workloadResources } from './resources.ts';
import type { Workload } from './workload.ts';

/** A pod as the guard of rotations looks at it. */
export interface WorkloadPod {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deletionTimestamp: string | undefined;
  /** Our markers, by the name of their annotation: the template's at the time at which the pod was made. */
  readonly markers: ReadonlyMap<string, string>;
  readonly phase: string;
  readonly ready: boolean;
  /** Some container of it runs or ran. */
  readonly started: boolean;
  /** Why it is not ready, in a word: CrashLoopBackOff, Unready, ImagePull, Pending, Evicted, ...; undefined where it is. */
  readonly reason: string | undefined;
  /** Since when it could have been ready and is not (milliseconds since 1970); undefined where nothing says so. */
  readonly unreadySince: number | undefined;
  /** What it runs keeps it from being ready, and neither its image nor its node does. */
  readonly blames: boolean;
}

export interface Verdict {
  readonly failing: boolean;
  /** For people: "its new pods: CrashLoopBackOff". Empty where all are ready. */
  readonly detail: string;
  /** The first pod that fails. */
  readonly podName?: string;
  /** None fails, but one would that has not run for long. */
  readonly young: boolean;
}

export interface Patience {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds that a pod may run without being ready. */
  readonly patience: number;
}

/**
 * The pods of a workload, by its selector.
 * @throws KubeError
 */
export async function listPodsOf(
  client: KubeClient,
  {
    metadata: { namespace },
    selector,
  }: Pick<Workload, 'selector'> & { readonly metadata: Pick<ObjectMeta, 'namespace'> },
  signal: AbortSignal,
): Promise<readonly WorkloadPod[]> {
  const labelSelector = Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  // It would select every pod of the namespace.
  if (labelSelector === '') return [];
  const found = await client.list(workloadResources.Pod, { namespace, labelSelector }, { signal });
  return found.flatMap(understood);
}

/**
 * Deletes a pod as it was seen, so that one which became ready meanwhile stays.
 * @throws KubeError
 */
export function deletePod(
  client: KubeClient,
  { metadata: { namespace } }: { readonly metadata: Pick<ObjectMeta, 'namespace'> },
  { name, uid, resourceVersion }: WorkloadPod,
  signal: AbortSignal,
): Promise<void> {
  return client.delete(workloadResources.Pod, { namespace, name }, { signal, uid, resourceVersion });
}

/** A pod that can't be understood is no evidence, and holds up nobody. */
function understood(raw: RawObject): readonly WorkloadPod[] {
  try {
    return [toPod(raw)];
  } catch (error) {
    if (error instanceof z.ZodError) return [];
    throw error;
  }
}

const statuses = z
  .array(containerStatusSchema)
  .nullish()
  .transform((items) => items ?? []);

const podSchema = z.object({
  spec: z
    .object({ initContainers: z.array(z.object({ name: z.string(), restartPolicy: z.string().nullish() })).nullish() })
    .nullish(),
  status: z.object({
    phase: z.string().nullish(),
    reason: z.string().nullish(),
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string().nullish(),
          lastTransitionTime: z.string().nullish(),
        }),
      )
      .nullish(),
    containerStatuses: statuses,
    initContainerStatuses: statuses,
  }),
});
type Pod = z.infer<typeof podSchema>;

/** @throws ZodError for what is no pod */
export function toPod(raw: RawObject): WorkloadPod {
  const pod = podSchema.parse({ spec: raw['spec'], status: raw['status'] ?? {} });
  const { name, uid, resourceVersion, deletionTimestamp } = raw.metadata;
  const markers = Object.entries(raw.metadata.annotations).filter(([key]) => key.startsWith(annotations.marker));
  const { containerStatuses, initContainerStatuses, phase } = pod.status;
  const ready = hasCondition(pod, 'Ready');
  const trouble = ready ? undefined : troubleOfPod(pod);
  return {
    name,
    uid,
    resourceVersion,
    deletionTimestamp,
    markers: new Map(markers),
    phase: phase ?? '',
    ready,
    started: [...containerStatuses, ...initContainerStatuses].some(hasStarted),
    reason: trouble?.reason,
    unreadySince: ready ? undefined : unreadySince(pod),
    blames: trouble?.blames ?? false,
  };
}

/**
 * The later of the moment at which it stopped being ready, which for a pod that never was is its start, and of the start of containers that never ended: a
 * pod that waited for its image has its time from then on.
 */
function unreadySince({ status }: Pod): number | undefined {
  const { restarted, starts } = startsOf(status.containerStatuses);
  const since = status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  const times = [...(since === undefined || since === null ? [] : [since]), ...(restarted ? [] : starts)];
  return times.length === 0 ? undefined : Math.max(...times.map((time) => Date.parse(time)));
}

function startsOf(containers: Pod['status']['containerStatuses']): {
  readonly restarted: boolean;
  readonly starts: readonly string[];
} {
  const starts = containers.flatMap((container) => runningSince(container) ?? []);
  return { restarted: containers.some(({ restartCount }) => restartCount > 0), starts };
}

function hasCondition({ status }: Pod, type: string): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

/** The worst of what keeps a pod from being ready. What its node does to it comes first: then its containers prove nothing. */
function troubleOfPod(pod: Pod): ContainerTrouble {
  const { status } = pod;
  const lost = lossOf(pod);
  if (lost !== undefined) return { reason: lost, blames: false };
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  );
  const troubles = [
    ...status.initContainerStatuses.map((container) =>
      troubleOf(container, sidecars.has(container.name) ? 'app' : 'init'),
    ),
    ...status.containerStatuses.map((container) => troubleOf(container, 'app')),
  ].filter((trouble) => trouble !== undefined);
  const worst = troubles.find(({ blames }) => blames) ?? troubles[0];
  if (worst !== undefined) return worst;
  if (status.containerStatuses.length === 0) return { reason: 'Pending', blames: false };
  // All containers are ready. A gate of the pod may speak for what it runs; else it is its node that is not heard of.
  const condition = status.conditions?.find(({ type }) => type === 'Ready');
  const gated = condition?.reason === 'ReadinessGatesNotReady';
  return gated ? { reason: 'ReadinessGate', blames: true } : { reason: 'NodeLost', blames: false };
}

/** A pod of a workload restarts its containers for ever: one that ended, or was disrupted, was ended by its node or by somebody. */
function lossOf(pod: Pod): string | undefined {
  const { phase, reason } = pod.status;
  if (phase === 'Failed' || phase === 'Succeeded') return reason ?? 'Ended';
  if (phase === 'Unknown') return 'NodeLost';
  return hasCondition(pod, 'DisruptionTarget') ? 'Evicted' : undefined;
}

/**
 * The pod that keeps a StatefulSet from going on, though it was made for other content: pods are replaced from the highest number down, each once the one before
 * is ready, and this one can't become ready.
 */
export function stuckPod(
  pods: readonly WorkloadPod[],
  markerName: string,
  content: string,
  patience: Patience,
): WorkloadPod | undefined {
  const [next] = pods
    .filter((pod) => !(pod.ready && names(pod, markerName, content)))
    .toSorted((a, b) => ordinal(b) - ordinal(a));
  const made = next?.markers.get(markerName);
  if (next === undefined || made === undefined || contentOfMarker(made) === content) return undefined;
  return next.deletionTimestamp === undefined && fails(next, patience) ? next : undefined;
}

function names({ markers }: WorkloadPod, markerName: string, content: string): boolean {
  return contentOfMarker(markers.get(markerName) ?? '') === content;
}

function ordinal({ name }: WorkloadPod): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? -1);
}

/** It runs or ran, and had its time to become ready. One that crashes again and again had it. */
function fails({ started, blames, reason, unreadySince: since }: WorkloadPod, { now, patience }: Patience): boolean {
  if (!started || !blames) return false;
  return reason === 'CrashLoopBackOff' || since === undefined || now - since >= patience;
}

/**
 * Whether pods that run `content` fail because of what they run: one of them started containers, and they crashed or are not ready. Pods that wait for
 * a node, an image or a quota, that are evicted, or whose node is lost, prove nothing; nor do those that were started late and never ended.
 */
export function verdictOfPods(
  pods: readonly WorkloadPod[],
  markerName: string,
  content: string,
  patience: Patience,
): Verdict {
  const concerned = pods
    .filter(({ deletionTimestamp }) => deletionTimestamp === undefined)
    .filter((pod) => names(pod, markerName, content))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const unready = concerned.filter(({ started, blames }) => started && blames);
  const failing = unready.filter((pod) => fails(pod, patience));
  const shown = failing.length > 0 ? failing : concerned.filter(({ ready }) => !ready);
  const reasons = [...new Set(shown.flatMap(({ reason }) => reason ?? []))].toSorted();
  const detail = shown.length === 0 ? '' : `its new pods: ${reasons.join(', ')}`;
  const first = failing[0];
  const young = first === undefined && unready.length > 0;
  return { failing: first !== undefined, detail, young, ...(first === undefined ? {} : { podName: first.name }) };
}
