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

export const versionedSecrets = {
  group,
  version,
  plural: 'versionedsecrets',
  kind: 'VersionedSecret',
  namespaced: true,
} as const;

export const secretVersions = {
  group,
  version,
  plural: 'secretversions',
  kind: 'SecretVersion',
  namespaced: true,
} as const;

export const secretReveals = {
  group,
  version,
  plural: 'secretreveals',
  kind: 'SecretReveal',
  namespaced: true,
} as const;

export const secretTypeObjects = {
  group,
  version,
  plural: 'secrettypes',
  kind: 'SecretType',
  namespaced: false,
} as const;
