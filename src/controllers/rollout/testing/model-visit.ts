import { z } from 'zod';
import type { KubeBody } from '../../../kube/client.ts';
import type { Reference } from '../../secret-reference/reference.ts';
import type { ExistingSecret } from '../../secret-reference/target-secret.ts';
import type { DueTarget } from '../../workload/due.ts';
import { markerPatch } from '../../workload/marker-patch.ts';
import type { Marker, Workload } from '../workload.ts';
import { bytesOf, type Cluster, heldContent, marker, type Pods, replacePods, restart } from './model-cluster.ts';
import type { Operator, Stepped } from './model-operator.ts';
import type { Rule } from './model-rule.ts';

/** Where the look at a workload stands: which call to the API server comes next. */
export type Visit =
  | { readonly at: 'idle' }
  | {
      readonly at: 'confirm';
      readonly workload: Workload;
      readonly due: DueTarget;
      /** The two reads, in whatever order; `missing` where there is none. */
      readonly reference?: Reference | 'missing';
      readonly secret?: ExistingSecret | 'missing';
    }
  | { readonly at: 'mark'; readonly workload: Workload; readonly content: string; readonly body: KubeBody };

export const idleVisit: Visit = { at: 'idle' };

/** What is to be said of a marker that was written. */
export interface Marked {
  /** A property that does not hold. */
  readonly fault?: string | undefined;
  /** A rollout that changed nothing, and why that could be. */
  readonly needless?: 'window' | 'overtaken' | undefined;
}

export type Visited = Stepped & { readonly label: string; readonly marked?: Marked };

/** Every next step of the look at one workload: which of them it is, and the order of reads, are anybody's guess. */
export function stepVisit(rule: Rule, cluster: Cluster, operator: Operator): readonly Visited[] {
  const { visit, cache } = operator;
  if (visit.at === 'idle') {
    const { reference } = cache;
    if (reference === undefined) return [];
    return cache.workloads.flatMap((workload): readonly Visited[] => {
      const due = rule.dueTarget(reference, workload, 0);
      if (due === undefined || operator.applied.get(workload.metadata.uid) === due.content) return [];
      const label = `${workload.metadata.name} is due`;
      return [{ label, cluster, operator: { ...operator, visit: { at: 'confirm', workload, due } } }];
    });
  }
  return visit.at === 'confirm' ? confirm(rule, cluster, operator, visit) : [mark(rule, cluster, operator, visit)];
}

function confirm(
  rule: Rule,
  cluster: Cluster,
  operator: Operator,
  visit: Extract<Visit, { at: 'confirm' }>,
): readonly Visited[] {
  const reads: (typeof visit & { readonly label: string })[] = [];
  if (visit.reference === undefined) {
    reads.push({ ...visit, reference: cluster.reference ?? 'missing', label: 'reads the reference' });
  }
  if (visit.secret === undefined) {
    reads.push({ ...visit, secret: cluster.secret ?? 'missing', label: 'reads the Secret' });
  }
  return reads.map(({ label, ...read }) => ({ label, cluster, operator: { ...operator, visit: decided(rule, read) } }));
}

function decided(rule: Rule, visit: Extract<Visit, { at: 'confirm' }>): Visit {
  const { workload, due, reference, secret } = visit;
  if (reference === undefined || secret === undefined) return visit;
  if (reference === 'missing' || secret === 'missing') return idleVisit;
  const still = rule.stillDue(workload, due, reference, secret, 0);
  if (still === undefined) return idleVisit;
  return { at: 'mark', workload, content: still.content, body: markerPatch('Deployment', workload, [still]) };
}

function mark(rule: Rule, cluster: Cluster, operator: Operator, visit: Extract<Visit, { at: 'mark' }>): Visited {
  const { workload, content } = visit;
  const { uid, resourceVersion } = workload.metadata;
  const label = `marks ${workload.metadata.name}`;
  const failed = { label, cluster, operator: { ...operator, visit: idleVisit } };
  const pods = cluster.pods.find((each) => each.workload.metadata.uid === uid);
  if (pods === undefined) return failed;
  if (rule.pinned && pods.workload.metadata.resourceVersion !== resourceVersion) return failed;
  const after = rolledOut(cluster, pods, written(visit.body), content);
  const workloads = operator.cache.workloads.map((each) =>
    each.metadata.uid === uid ? rule.seen(after.workload) : each,
  );
  const applied = new Map([...operator.applied, [uid, content]]);
  const done = { ...operator, applied, visit: idleVisit, cache: { ...operator.cache, workloads } };
  return {
    label,
    cluster: replacePods(cluster, uid, () => after),
    operator: done,
    // Nothing is certain of a write that was not answered.
    lost: { ...operator, visit: idleVisit, applied: without(operator.applied, uid) },
    marked: judge(cluster, pods, after, content),
  };
}

function without(applied: ReadonlyMap<string, string>, uid: string): ReadonlyMap<string, string> {
  return new Map([...applied].filter(([each]) => each !== uid));
}

const bodySchema = z.object({
  spec: z.object({
    template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) }),
  }),
});

/** The value of the marker that a body applies. */
function written(body: KubeBody): string {
  return bodySchema.parse(body).spec.template.metadata.annotations[marker] ?? '';
}

function rolledOut(cluster: Cluster, pods: Pods, value: string, content: string): Pods {
  const overtaken = heldContent(cluster.secret) !== content;
  const markers: ReadonlyMap<string, Marker> = new Map([[marker, { value, ours: true }]]);
  // A marker that says the same already changes nothing, and starts nothing.
  const same = pods.workload.markers.get(marker)?.value === value;
  const after = same ? { ...pods, workload: { ...pods.workload, markers } } : restart(cluster, pods, markers);
  return { ...after, overtaken, markedFor: cluster.history.lastIndexOf(content) };
}

function judge(cluster: Cluster, before: Pods, after: Pods, content: string): Marked {
  if (!cluster.history.includes(content)) return { fault: `S6: marker ${content} of what no Secret held` };
  if (after.markedFor < before.markedFor) return { fault: 'a marker goes back to older content' };
  if (before.workload.markers.get(marker)?.value === after.workload.markers.get(marker)?.value) return {};
  const { startedOn = heldContent(cluster.secret) } = before;
  if (before.runs !== bytesOf(cluster.secret) || startedOn !== heldContent(cluster.secret)) return {};
  if (before.inWindow) return { needless: 'window' };
  if (before.overtaken || after.overtaken) return { needless: 'overtaken' };
  return { fault: `S5: rolled out for nothing, with marker ${content}` };
}
