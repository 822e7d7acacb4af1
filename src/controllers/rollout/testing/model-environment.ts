import type { Marker } from '../workload.ts';
import {
  type Cluster,
  heldContent,
  isSettled,
  marker,
  newPods,
  newReference,
  next,
  type Pods,
  replacePods,
  restart,
  versions,
} from './model-cluster.ts';

const disturbances = ['undo', 'restart', 'replace', 'copy', 'recreate'] as const;
type Disturbance = (typeof disturbances)[number];

/** What others do. */
const deeds = [
  ...disturbances,
  'put',
  'back',
  'create',
  'wait',
  'deleteSecret',
  'deleteReference',
  'createReference',
] as const;
export type Deed = (typeof deeds)[number];

/** Those that are named. */
export function deedsOf(named: Readonly<Partial<Record<Deed, unknown>>>): readonly Deed[] {
  return deeds.filter((deed) => named[deed] !== undefined);
}

export interface Done {
  readonly label: string;
  readonly cluster: Cluster;
}

/** Every way in which others can do this now. */
export function doDeed(deed: Deed, cluster: Cluster): readonly Done[] {
  const disturbance = disturbances.find((each) => each === deed);
  if (disturbance !== undefined) return cluster.pods.flatMap((pods) => disturb(disturbance, cluster, pods));
  return ways[deed]?.(cluster) ?? [];
}

const ways: Readonly<Partial<Record<Deed, (cluster: Cluster) => readonly Done[]>>> = {
  put: (cluster) => versions.flatMap((_, index) => (index > cluster.latest ? [becomesLatest(cluster, index)] : [])),
  back: (cluster) => (cluster.latest === 0 ? [] : [becomesLatest(cluster, cluster.latest - 1)]),
  wait: (cluster) => [{ label: 'two minutes pass', cluster: { ...cluster, now: cluster.now + 120 } }],
  create: (cluster) => {
    const isThere = cluster.pods.some(({ workload }) => workload.metadata.name === 'late');
    return isThere ? [] : [{ label: 'creates late', cluster: created(cluster, 'late') }];
  },
  deleteSecret: (cluster) =>
    cluster.secret === undefined ? [] : [{ label: 'deletes the Secret', cluster: { ...cluster, secret: undefined } }],
  deleteReference: (cluster) =>
    cluster.reference === undefined ? [] : [{ label: 'deletes the reference', cluster: withoutReference(cluster) }],
  createReference: (cluster) =>
    cluster.reference === undefined ? [{ label: 'creates the reference', cluster: withReference(cluster) }] : [],
};

function becomesLatest(cluster: Cluster, latest: number): Done {
  return { label: `version ${latest} is the latest`, cluster: { ...cluster, latest } };
}

function created(cluster: Cluster, name: string): Cluster {
  const pods = newPods(cluster, name, `workload-${cluster.made}`);
  return { ...cluster, pods: [...cluster.pods, pods], made: cluster.made + 1 };
}

/** With its Secret, which goes at once. */
function withoutReference(cluster: Cluster): Cluster {
  const pods = cluster.pods.map((each) => ({ ...each, bereft: true }));
  return { ...cluster, reference: undefined, secret: undefined, pods };
}

function withReference(cluster: Cluster): Cluster {
  return { ...cluster, reference: newReference(`reference-${cluster.made}`), made: cluster.made + 1 };
}

function disturb(deed: Disturbance, cluster: Cluster, pods: Pods): readonly Done[] {
  const { workload } = pods;
  const { name, uid } = workload.metadata;
  const changed = (markers: ReadonlyMap<string, Marker>): Cluster =>
    replacePods(cluster, uid, () => restarted(cluster, pods, markers));
  switch (deed) {
    case 'restart':
      return [{ label: `restarts ${name}`, cluster: changed(workload.markers) }];
    case 'replace':
      return [{ label: `replaces ${name}`, cluster: changed(new Map()) }];
    case 'recreate': {
      const rest = { ...cluster, pods: cluster.pods.filter((each) => each !== pods) };
      return [{ label: `creates ${name} anew`, cluster: created(rest, name) }];
    }
    case 'undo': {
      // A value that stays as it is stays whose it is.
      const same = pods.undoTo === workload.markers.get(marker)?.value;
      return [{ label: `undoes ${name}`, cluster: changed(same ? workload.markers : markersOf(pods.undoTo)) }];
    }
    case 'copy':
      return copied(cluster, pods).map((value) => ({
        label: `copies the marker ${value} to ${name}`,
        cluster: value === workload.markers.get(marker)?.value ? taken(cluster, uid) : changed(markersOf(value)),
      }));
    default:
      return deed satisfies never;
  }
}

function markersOf(value: string | undefined): ReadonlyMap<string, Marker> {
  return new Map(value === undefined ? [] : [[marker, { value, ours: false }]]);
}

/** Of this cluster's past, its present, what may become its present, and of another cluster. */
function copied({ history, secret, latest }: Cluster, { workload }: Pods): readonly string[] {
  const values = [history[0], heldContent(secret), versions[latest]?.content, workload.markers.get(marker)?.value];
  return [...new Set(['1:elsewhere', ...values.filter((value) => value !== undefined)])];
}

/** Applied with the value that it has: now others answer for it too, and no pod is started. */
function taken(cluster: Cluster, uid: string): Cluster {
  return replacePods(cluster, uid, (pods) => {
    const { workload } = pods;
    const { metadata } = workload;
    const resourceVersion = next(metadata.resourceVersion);
    const markers = markersOf(workload.markers.get(marker)?.value);
    const after = { ...pods, workload: { ...workload, markers, metadata: { ...metadata, resourceVersion } } };
    return noted(cluster, after);
  });
}

function restarted(cluster: Cluster, pods: Pods, markers: ReadonlyMap<string, Marker>): Pods {
  return noted(cluster, restart(cluster, pods, markers));
}

function noted(cluster: Cluster, pods: Pods): Pods {
  const inWindow = pods.inWindow || !isSettled(cluster, pods.workload.metadata.uid);
  return { ...pods, inWindow, everInWindow: pods.everInWindow || inWindow };
}
