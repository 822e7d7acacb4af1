import { type RolledKind, rolledKinds } from '../../api/v1/rollout.ts';
import { isDue } from '../rollout/ledger.ts';
import type { Workload, WorkloadChange, Workloads } from '../rollout/workload.ts';
import type { Store } from '../../kube/store.ts';
import type { Request } from '../../runtime/request.ts';
import type { Reference } from '../secret-reference/reference.ts';
import { noteRollout } from './reconcile.ts';
import type { Budget } from './budget.ts';

/** A workload as a request: its kind stands before its name. */
export function workloadRequest({ kind, metadata }: Pick<Workload, 'kind' | 'metadata'>): Request {
  return { namespace: metadata.namespace, name: `${kind}/${metadata.name}` };
}

/** The inverse; undefined for what is no workload. */
export function parseWorkloadRequest({
  name,
}: Request): { readonly kind: RolledKind; readonly name: string } | undefined {
  const kind = rolledKinds.find((each) => name.startsWith(`${each}/`));
  return kind === undefined ? undefined : { kind, name: name.slice(kind.length + 1) };
}

export interface WorkloadWatches {
  readonly workloads: Workloads;
  readonly references: Store<Reference>;
  readonly budget: Budget;
  /** A workload is gone: nothing of it is remembered. */
  readonly forget: (workload: Workload) => void;
  readonly enqueueWorkload: (request: Request) => void;
  /** The consumers of a reference may have changed: to be looked at together with others, at once or `later`. */
  readonly enqueueReference: (request: Request, when: 'soon' | 'later') => void;
}

/** Turns what the caches see into requests. */
export function watchForWorkloads(watches: WorkloadWatches): void {
  watches.workloads.onChange((change) => onWorkload(watches, change));
  watches.references.onChange(({ object, type }) => {
    if (type !== 'deleted') onReference(watches, object);
  });
}

/** Whoever consumes the target and runs something else is looked at. */
function onReference({ enqueueWorkload }: WorkloadWatches, { metadata, status }: Reference): void {
  const content = status.target?.content;
  if (content === undefined) return;
  for (const consumer of status.consumers ?? []) {
    if (!isDue(consumer, content)) continue;
    enqueueWorkload({ namespace: metadata.namespace, name: `${consumer.kind}/${consumer.name}` });
  }
}

function onWorkload(watches: WorkloadWatches, { object, previous, type }: WorkloadChange): void {
  if (type === 'deleted') watches.forget(object);
  else noteRollout(watches.budget, object, watches.references.byIndex('consumer', object.metadata.uid));
  // What is only shown may come and go all the time, as the pods of a build server do.
  const when = object.kind === 'Pod' || object.kind === 'Job' ? 'later' : 'soon';
  for (const reference of concerned(watches, object, previous)) watches.enqueueReference(reference.metadata, when);
  if (type !== 'deleted' && watches.references.byIndex('consumer', object.metadata.uid).length > 0) {
    watches.enqueueWorkload(workloadRequest(object));
  }
}

/** The references that have the workload in their ledger, name it, or whose target it uses, or used. */
function concerned(
  { references }: WorkloadWatches,
  object: Workload,
  previous: Workload | undefined,
): ReadonlySet<Reference> {
  const { namespace, uid, name } = object.metadata;
  const secrets = new Set([...object.uses.keys(), ...(previous?.uses.keys() ?? [])]);
  return new Set([
    ...references.byIndex('consumer', uid),
    ...[...secrets].flatMap((secret) => references.byIndex('target', `${namespace}/${secret}`)),
    ...references.byIndex('listed', `${namespace}/${object.kind}/${name}`),
  ]);
}
