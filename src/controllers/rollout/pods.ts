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
  /** Since when its containers run (RFC 3339), where none of them ever ended: it may just need time. */
  readonly runningSince: string | undefined;
  /** What it runs keeps it from being ready, and neither its image nor its node does. */
  readonly blames: boolean;
}

export interface Verdict {
  readonly failing: boolean;
  /** For people: "2 of 3 pods: CrashLoopBackOff". Empty where all are ready. */
  readonly detail: string;
  /** The first pod that fails. */
  readonly podName?: string;
  /** None fails, but one would that has not run for long. */
  readonly young: boolean;
}

export interface Patience {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds that containers which never ended may run without being ready. */
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
  return found.map(toPod);
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
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string().nullish() })).nullish(),
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
    runningSince: youth([...containerStatuses, ...initContainerStatuses]),
    blames: trouble?.blames ?? false,
  };
}

function youth(containers: Pod['status']['containerStatuses']): string | undefined {
  const started = containers.filter(hasStarted).map(runningSince);
  const running = started.filter((since) => since !== undefined);
  return running.length < started.length ? undefined : running.toSorted()[0];
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

/** The pod that a StatefulSet waits for though it was made for other content: it is not ready because of what it runs, and only its deletion helps. */
export function stuckPod(pods: readonly WorkloadPod[], markerName: string, content: string): WorkloadPod | undefined {
  return pods.find(
    ({ markers, deletionTimestamp, started, blames }) =>
      (markers.get(markerName) ?? content) !== content && deletionTimestamp === undefined && started && blames,
  );
}

/**
 * Whether pods that run `content` fail because of what they run: one of them started containers, and they crashed or are not ready. Pods that wait for
 * a node, an image or a quota, that are evicted, or whose node is lost, prove nothing; nor do those that were started late and never ended.
 */
export function verdictOfPods(
  pods: readonly WorkloadPod[],
  markerName: string,
  content: string,
  { now, patience }: Patience,
): Verdict {
  const concerned = pods
    .filter(({ markers, deletionTimestamp }) => markers.get(markerName) === content && deletionTimestamp === undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const unready = concerned.filter(({ started, blames }) => started && blames);
  const failing = unready.filter(({ runningSince }) => !(now - Date.parse(runningSince ?? '') < patience));
  const shown = failing.length > 0 ? failing : concerned.filter(({ ready }) => !ready);
  const reasons = [...new Set(shown.flatMap(({ reason }) => reason ?? []))].toSorted();
  const detail = shown.length === 0 ? '' : `${shown.length} of ${concerned.length} pods: ${reasons.join(', ')}`;
  const first = failing[0];
  const young = first === undefined && unready.length > 0;
  return { failing: first !== undefined, detail, young, ...(first === undefined ? {} : { podName: first.name }) };
}
