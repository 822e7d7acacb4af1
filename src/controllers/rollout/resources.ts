import type { ConsumerKind } from '../../api/v1/rollout.ts';
import { rolledResources } from '../../api/v1/workload-resources.ts';
import type { Resource } from '../../kube/resource.ts';

/** Where the API server keeps the workloads of each kind. */
export const workloadResources: Readonly<Record<ConsumerKind, Resource>> = {
  Deployment: { ...rolledResources.Deployment, version: 'v1', kind: 'Deployment', namespaced: true },
  StatefulSet: { ...rolledResources.StatefulSet, version: 'v1', kind: 'StatefulSet', namespaced: true },
  DaemonSet: { ...rolledResources.DaemonSet, version: 'v1', kind: 'DaemonSet', namespaced: true },
  Rollout: { ...rolledResources.Rollout, version: 'v1alpha1', kind: 'Rollout', namespaced: true },
  CronJob: { ...rolledResources.CronJob, version: 'v1', kind: 'CronJob', namespaced: true },
  Job: { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true },
  Pod: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
};
