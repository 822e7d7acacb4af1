import { secretReveals, secretTypeObjects, secretVersions, versionedSecrets } from '../api/v1/resources.ts';
import { type Reveal, toReveal } from '../controllers/secret-reveal/reveal.ts';
import { type SecretTypeObject, toSecretType } from '../controllers/versioned-secret/secret-type.ts';
import {
  type SecretVersion,
  secretVersionIndexes,
  toSecretVersion,
} from '../controllers/versioned-secret/secret-version.ts';
import {
  toVersionedSecret,
  type VersionedSecret,
  versionedSecretIndexes,
} from '../controllers/versioned-secret/versioned-secret.ts';
import type { KubeObject } from '../kube/object.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../kube/reflector.ts';
import { createStore, type Store } from '../kube/store.ts';

/** What the operator knows of embedded secrets: of values only how they are told apart. */
export interface EmbeddedCaches {
  readonly secrets: Store<VersionedSecret>;
  readonly versions: Store<SecretVersion>;
  readonly types: Store<SecretTypeObject>;
  readonly reveals: Store<Reveal>;
  readonly reflectors: readonly Reflector[];
}

type Settings = Pick<ReflectorOptions<KubeObject>, 'transport' | 'clock' | 'random' | 'logger'>;

/** `watched` are the namespaces to look at; none means all. */
export function createEmbeddedCaches(settings: Settings, watched: readonly string[]): EmbeddedCaches {
  const { logger } = settings;
  const secrets = createStore<VersionedSecret>({ logger, indexes: versionedSecretIndexes });
  const versions = createStore<SecretVersion>({ logger, indexes: secretVersionIndexes });
  const types = createStore<SecretTypeObject>({ logger });
  const reveals = createStore<Reveal>({ logger });
  const scopes = watched.length === 0 ? [{}] : watched.map((namespace) => ({ namespace }));
  return {
    secrets,
    versions,
    types,
    reveals,
    reflectors: [
      ...scopes.flatMap((scope) => [
        createReflector({
          ...settings,
          ...scope,
          resource: versionedSecrets,
          transform: toVersionedSecret,
          store: secrets,
        }),
        createReflector({
          ...settings,
          ...scope,
          resource: secretVersions,
          transform: toSecretVersion,
          store: versions,
          // An object may have a megabyte and a half, whatever is taken for a value: a page of such must fit into the operator's memory.
          pageSize: 25,
        }),
        createReflector({ ...settings, ...scope, resource: secretReveals, transform: toReveal, store: reveals }),
      ]),
      createReflector({ ...settings, resource: secretTypeObjects, transform: toSecretType, store: types }),
    ],
  };
}
