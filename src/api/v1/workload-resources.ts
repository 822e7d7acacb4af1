import type { RolledKind } from './rollout.ts';

/** Where the API server keeps the workloads that can be rolled out. */
export const rolledResources = {
  Deployment: { group: 'apps', plural: 'deployments' },
  StatefulSet: { group: 'apps', plural: 'statefulsets' },
  DaemonSet: { group: 'apps', plural: 'daemonsets' },
  CronJob: { group: 'batch', plural: 'cronjobs' },
  Rollout: { group: 'argoproj.io', plural: 'rollouts' },
} as const satisfies Readonly<Record<RolledKind, { readonly group: string; readonly plural: string }>>;

const resources = Object.values(rolledResources);

/** The same by group of the API, each once, as roles and policies list them. */
export const rolledPlurals: readonly (readonly [group: string, plurals: readonly string[]])[] = [
  ...new Set(resources.map(({ group }) => group)),
].map((group) => [group, resources.filter((resource) => resource.group === group).map(({ plural }) => plural)]);
