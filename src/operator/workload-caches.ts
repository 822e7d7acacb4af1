import { type ConsumerKind, consumerKinds } from '../api/v1/rollout.ts';
import { workloadResources } from '../controllers/rollout/resources.ts';
import { hasEnded, isRolledKind, isSameWorkload, standsAlone, toWorkload } from '../controllers/rollout/to-workload.ts';
import { noWorkloads, type Workload, type Workloads } from '../controllers/rollout/workload.ts';
import type { KubeObject } from '../kube/object.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../kube/reflector.ts';
import { type Change, createStore, type Store } from '../kube/store.ts';

/** What the operator knows of workloads, and the loops that keep it so. */
export interface WorkloadCaches {
  readonly workloads: Workloads;
  readonly reflectors: readonly Reflector[];
}

/** For an operator that rolls nothing out. */
export const noWorkloadCaches: WorkloadCaches = { workloads: noWorkloads, reflectors: [] };

type Settings = Pick<ReflectorOptions<KubeObject>, 'transport' | 'clock' | 'random' | 'logger' | 'timings'>;
type Stores = Readonly<Record<ConsumerKind, Store<Workload>>>;

/** `watched` names the namespaces to look at; none means all. */
export function createWorkloadCaches(settings: Settings, watched: readonly string[]): WorkloadCaches {
  const create = (): Store<Workload> => createStore({ logger: settings.logger, indexes: { secret: secretsOf } });
  const stores: Stores = {
    Deployment: create(),
    StatefulSet: create(),
    DaemonSet: create(),
    Rollout: create(),
    CronJob: create(),
    Job: create(),
    Pod: create(),
  };
  const scopes = watched.length === 0 ? [{}] : watched.map((namespace) => ({ namespace }));
  const reflectors = consumerKinds.flatMap((kind) =>
    scopes.map((scope) => createReflector({ ...settings, ...scope, ...watchOf(kind), store: stores[kind] })),
  );
  return { workloads: viewOf(stores), reflectors };
}

/** Most Pods and Jobs are made by another workload, and what has ended uses nothing. */
function watchOf(kind: ConsumerKind): Omit<ReflectorOptions<Workload>, keyof Settings | 'store'> {
  return {
    resource: workloadResources[kind],
    transform: (raw) => toWorkload(kind, raw),
    keepManagedFields: isRolledKind(kind),
    ...(isRolledKind(kind) ? {} : { keep: (raw) => standsAlone(raw) && !hasEnded(raw) }),
    ...(kind === 'Pod' ? { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' } : {}),
    // Few clusters have Argo Rollouts, and not every operator may see them.
    mayBeAbsent: kind === 'Rollout',
  };
}

function secretsOf({ metadata, uses }: Workload): readonly string[] {
  return Array.from(uses.keys(), (secret) => `${metadata.namespace}/${secret}`);
}

function viewOf(stores: Stores): Workloads {
  return {
    get: (kind, namespace, name) => stores[kind].get(namespace, name),
    usersOf: (namespace, secret) =>
      consumerKinds.flatMap((kind) => stores[kind].byIndex('secret', `${namespace}/${secret}`).toSorted(byName)),
    onChange: (handler) => {
      for (const kind of consumerKinds) {
        stores[kind].onChange((change) => {
          if (isOfInterest(change)) handler({ ...change, previous: change.previous });
        });
      }
    },
  };
}

/** The store takes every version, since writes are pinned to the newest; only what a rollout depends on is passed on. */
function isOfInterest({ object, previous }: Change<Workload>): boolean {
  return previous === undefined || !isSameWorkload(previous, object);
}

function byName(a: KubeObject, b: KubeObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
