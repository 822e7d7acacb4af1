import { group, version } from './names.ts';

/** Where the API server keeps the objects of each kind, and what their lists are called. */
export const secretReferences = {
  group,
  version,
  plural: 'secretreferences',
  kind: 'SecretReference',
  namespaced: true,
} as const;

export const secretManagers = {
  group,
  version,
  plural: 'secretmanagers',
  kind: 'SecretManager',
  namespaced: true,
} as const;

export const clusterSecretManagers = {
  group,
  version,
  plural: 'clustersecretmanagers',
  kind: 'ClusterSecretManager',
  namespaced: false,
} as const;
