import { annotations } from '../../../api/v1/names.ts';
import type { SecretReferenceStatus } from '../../../api/v1/secret-reference.ts';
import type { KubeBody } from '../../../kube/client.ts';
import { rawObjectSchema } from '../../../kube/object.ts';
import { SecretValue } from '../../../managers/secret-value.ts';
import { contentName } from '../../secret-reference/identity.ts';
import type { Reference } from '../../secret-reference/reference.ts';
import type { ResolvedKey } from '../../secret-reference/resolution.ts';
import { type ExistingSecret, toExistingSecret } from '../../secret-reference/target-secret.ts';
import { buildReference, buildWorkload } from '../../testing/builders.ts';
import type { Marker, Workload } from '../workload.ts';

/** A workload, what its pods really run, and what the properties of the model need to remember of it. */
export interface Pods {
  readonly workload: Workload;
  /** The bytes that its pods started with; undefined while there is no Secret to start with. */
  readonly runs: string | undefined;
  /** What the Secret called them then; undefined where it was not ours. */
  readonly startedOn: string | undefined;
  /** Its marker in the revision before: where an undo goes. */
  readonly undoTo: string | undefined;
  /** Its pods were started anew by others while the status did not yet say that it runs what the Secret holds. */
  readonly inWindow: boolean;
  /** That happened once, for whatever content, and no time stamp tells for which. */
  readonly everInWindow: boolean;
  /** Our own marker of the content before came after the Secret had moved on. */
  readonly overtaken: boolean;
  /** The reference and its Secret were deleted while it was there. */
  readonly bereft: boolean;
  /** When the Secret last got the content that its marker of ours names, as a place in the history. */
  readonly markedFor: number;
}

/** All that an API server and a secret manager would tell. */
export interface Cluster {
  /** Seconds. */
  readonly now: number;
  /** Index of the version that is the latest. */
  readonly latest: number;
  readonly secret: ExistingSecret | undefined;
  readonly reference: Reference | undefined;
  readonly pods: readonly Pods[];
  /** Every content that the Secret has held, in order. */
  readonly history: readonly string[];
  /** How many objects there were: their uids. */
  readonly made: number;
}

/** What each version of the one secret says. The third has the bytes of the second. */
export const versions: readonly { readonly keys: readonly ResolvedKey[]; readonly content: string }[] = [
  'one',
  'two',
  'two',
  'three',
].map((text, index) => {
  const key = 'password';
  const id = `v${index}`;
  const origin = {
    manager: 'ClusterSecretManager/default',
    secret: 'db.password',
    requested: 'latest',
    version: id,
    identity: `${id}@abc`,
  };
  const keys = [{ key, value: SecretValue.fromString(text), origin, listable: true }];
  return { keys, content: contentName(buildReference().spec, keys) };
});

export const marker = `${annotations.marker}api-db`;

export function isoTime(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
}

export function bytesOf(secret: ExistingSecret | undefined): string | undefined {
  return secret?.data['password'];
}

export function heldContent(secret: ExistingSecret | undefined): string | undefined {
  return secret?.metadata.annotations[annotations.content];
}

export function next(resourceVersion: string): string {
  return String(Number(resourceVersion) + 1);
}

export function newReference(uid: string): Reference {
  return buildReference({ metadata: { uid } });
}

export function newPods(cluster: Cluster, name: string, uid: string): Pods {
  const workload = buildWorkload({ metadata: { name, uid, creationTimestamp: isoTime(cluster.now) } });
  const inWindow = !isSettled(cluster, uid);
  const runs = bytesOf(cluster.secret);
  return {
    workload,
    runs,
    startedOn: heldContent(cluster.secret),
    undoTo: undefined,
    inWindow,
    everInWindow: inWindow && !isSurelyLater(cluster),
    overtaken: false,
    bereft: false,
    markedFor: -1,
  };
}

/** More than a minute after the Secret was written. */
function isSurelyLater({ now, secret }: Cluster): boolean {
  const written = secret?.metadata.managedFields[0]?.time;
  return written !== undefined && Date.parse(isoTime(now)) > Date.parse(written) + 60_000;
}

/** Whether the status says that the workload runs what the Secret holds; of one that it does not know, whether the two agree. */
export function isSettled({ reference, secret }: Cluster, uid: string): boolean {
  const content = heldContent(secret);
  const { target, consumers = [] } = reference?.status ?? {};
  if (content === undefined || target?.content !== content || target.uid !== secret?.metadata.uid) return false;
  const entry = consumers.find((consumer) => consumer.uid === uid);
  return entry === undefined || entry.content === content;
}

/** Undefined: refused, since it exists. */
export function createSecret(cluster: Cluster, body: KubeBody, manager: string): Cluster | undefined {
  if (cluster.secret !== undefined) return undefined;
  const metadata = { ...body.metadata, uid: `secret-${cluster.made}`, resourceVersion: '1' };
  const managedFields = [{ manager, time: isoTime(cluster.now) }];
  const secret = toExistingSecret(rawObjectSchema.parse({ ...body, metadata: { ...metadata, managedFields } }));
  return withSecret({ ...cluster, made: cluster.made + 1 }, secret);
}

/** An apply that is pinned to the Secret as it was read. Undefined: refused, since it is another one now. */
export function applySecret(cluster: Cluster, body: KubeBody, manager: string): Cluster | undefined {
  const { secret } = cluster;
  if (secret === undefined || !isPinnedTo(body, secret)) return undefined;
  const applied = toExistingSecret(rawObjectSchema.parse(body));
  const metadata = {
    ...secret.metadata,
    ...applied.metadata,
    resourceVersion: next(secret.metadata.resourceVersion),
    annotations: { ...secret.metadata.annotations, ...applied.metadata.annotations },
    managedFields: [{ manager, time: isoTime(cluster.now) }],
  };
  return withSecret(cluster, { ...secret, data: { ...secret.data, ...applied.data }, metadata });
}

function isPinnedTo({ metadata }: KubeBody, object: Pick<ExistingSecret | Workload, 'metadata'>): boolean {
  const { uid, resourceVersion } = object.metadata;
  return metadata['uid'] === uid && metadata['resourceVersion'] === resourceVersion;
}

function withSecret(cluster: Cluster, secret: ExistingSecret): Cluster {
  const content = heldContent(secret);
  const changed = content !== undefined && content !== cluster.history.at(-1);
  const pods = cluster.pods.map((each): Pods => {
    const runs = each.runs ?? bytesOf(secret);
    if (each.runs === undefined) return { ...each, runs, startedOn: content, inWindow: true, everInWindow: true };
    return changed ? { ...each, inWindow: false, overtaken: false } : each;
  });
  return { ...cluster, secret, pods, history: changed ? [...cluster.history, content] : cluster.history };
}

export function applyStatus(
  cluster: Cluster,
  { metadata }: Reference,
  status: SecretReferenceStatus,
): Cluster | undefined {
  const { reference } = cluster;
  const { uid, resourceVersion } = metadata;
  if (reference?.metadata.uid !== uid || reference.metadata.resourceVersion !== resourceVersion) return undefined;
  const written = { ...reference, metadata: { ...reference.metadata, resourceVersion: next(resourceVersion) }, status };
  return { ...cluster, reference: written };
}

/** A change of a pod template: pods start on the Secret as it is now. */
export function restart(cluster: Cluster, pods: Pods, markers: ReadonlyMap<string, Marker>): Pods {
  const { workload } = pods;
  const { metadata } = workload;
  return {
    ...pods,
    workload: { ...workload, markers, metadata: { ...metadata, resourceVersion: next(metadata.resourceVersion) } },
    runs: bytesOf(cluster.secret),
    startedOn: heldContent(cluster.secret),
    undoTo: workload.markers.get(marker)?.value,
  };
}

export function replacePods(cluster: Cluster, uid: string, change: (pods: Pods) => Pods): Cluster {
  const pods = cluster.pods.map((each) => (each.workload.metadata.uid === uid ? change(each) : each));
  return { ...cluster, pods };
}
