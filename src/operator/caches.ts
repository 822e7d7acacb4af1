import { annotations, labels } from '../api/v1/names.ts';
import { clusterSecretManagers, secretManagers, secretReferences } from '../api/v1/resources.ts';
import { pickMetadata } from '../controllers/metadata.ts';
import {
  type ManagerObject,
  toClusterSecretManager,
  toSecretManager,
} from '../controllers/secret-manager/manager-object.ts';
import type { Workloads } from '../controllers/rollout/workload.ts';
import { type Reference, referenceIndexes, toReference } from '../controllers/secret-reference/reference.ts';
import type { KubeObject, RawObject } from '../kube/object.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../kube/reflector.ts';
import { namespaces, secrets } from '../kube/resource.ts';
import { createStore, type Store } from '../kube/store.ts';
import { createWorkloadCaches, noWorkloadCaches } from './workload-caches.ts';

/** What the operator knows of the cluster, and the loops that keep it so. */
export interface Caches {
  readonly references: Store<Reference>;
  readonly secretManagers: Store<ManagerObject>;
  readonly clusterSecretManagers: Store<ManagerObject>;
  /** Metadata of the Secrets that carry our label. */
  readonly targets: Store<KubeObject>;
  /** Empty where only some namespaces are watched: then no right to see them is needed. */
  readonly namespaces: Store<KubeObject>;
  /** Empty where nothing is rolled out. */
  readonly workloads: Workloads;
  readonly reflectors: readonly Reflector[];
}

type Settings = Pick<ReflectorOptions<KubeObject>, 'transport' | 'clock' | 'random' | 'logger'>;

export interface CacheOptions {
  /** The namespaces to look at; none means all. */
  readonly watchNamespaces: readonly string[];
  /** Whether workloads are looked at. */
  readonly rollouts: boolean;
}

export function createCaches(settings: Settings, { watchNamespaces: watched, rollouts }: CacheOptions): Caches {
  const { logger } = settings;
  const references = createStore<Reference>({ logger, indexes: referenceIndexes });
  const managers = createStore<ManagerObject>({ logger });
  const clusterManagers = createStore<ManagerObject>({ logger });
  const targets = createStore<KubeObject>({ logger });
  const spaces = createStore<KubeObject>({ logger });
  const scopes = watched.length === 0 ? [{}] : watched.map((namespace) => ({ namespace }));
  const targetSelection = { resource: secrets, labelSelector: labels.target, metadataOnly: true };
  const namespaced = scopes.flatMap((scope) => [
    createReflector({ ...settings, ...scope, resource: secretReferences, transform: toReference, store: references }),
    createReflector({ ...settings, ...scope, resource: secretManagers, transform: toSecretManager, store: managers }),
    createReflector({ ...settings, ...scope, ...targetSelection, transform: toMetadata, store: targets }),
  ]);
  const cluster = [
    createReflector({
      ...settings,
      resource: clusterSecretManagers,
      transform: toClusterSecretManager,
      store: clusterManagers,
    }),
  ];
  const everyNamespace =
    watched.length > 0
      ? []
      : [
          createReflector({
            ...settings,
            resource: namespaces,
            metadataOnly: true,
            transform: toMetadata,
            store: spaces,
          }),
        ];
  const workloads = rollouts ? createWorkloadCaches(settings, watched) : noWorkloadCaches;
  return {
    references,
    secretManagers: managers,
    clusterSecretManagers: clusterManagers,
    targets,
    namespaces: spaces,
    workloads: workloads.workloads,
    reflectors: [...namespaced, ...cluster, ...everyNamespace, ...workloads.reflectors],
  };
}

/** Of annotations only the marks of merged keys are ever asked for; others may be as large as their authors like. */
function toMetadata(raw: RawObject): KubeObject {
  return { metadata: pickMetadata(raw.metadata, [annotations.merged]) };
}
