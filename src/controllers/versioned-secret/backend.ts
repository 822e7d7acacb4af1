import { conditionOf } from '../../api/v1/conditions.ts';
import { foldName, secretObjectName } from '../../api/v1/embedded-name.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Store } from '../../kube/store.ts';
import type { EmbeddedBackend, EmbeddedSecret } from '../../managers/embedded/backend.ts';
import { SealError } from '../../managers/embedded/sealing/seal-error.ts';
import type { KeyRing } from '../../managers/embedded/sealing/sealing-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import type { ObjectView } from '../object-view.ts';
import { ANY_SIZE, openStored } from './judge.ts';
import { hasItsName, type VersionedSecret, writtenName } from './versioned-secret.ts';

export interface BackendOptions {
  readonly client: KubeClient;
  readonly view: ObjectView<VersionedSecret>;
  readonly secrets: Store<VersionedSecret>;
  readonly ring: () => KeyRing | undefined;
  readonly clusterUid: () => string;
}

/** The embedded secrets as the operator's caches know them. */
export function createEmbeddedBackend(options: BackendOptions): EmbeddedBackend {
  const { client, view, secrets, ring, clusterUid } = options;
  const objectOf = (namespace: string, name: string): VersionedSecret | undefined => view.get({ namespace, name });
  return {
    find: (namespace, name) => {
      const secret = found(objectOf(namespace, secretObjectName(name)));
      // Another name may be written like the object's name of a long one.
      return secret !== undefined && foldName(secret.name) === foldName(name) ? secret : undefined;
    },
    findObject: (namespace, object) => found(objectOf(namespace, object)),
    list: (namespace) =>
      secrets
        .byIndex('namespace', namespace)
        .flatMap(({ metadata }) => found(objectOf(namespace, metadata.name)) ?? []),
    publicKey: () => {
      const current = ring();
      // Not known yet is not missing: a manager's status stays as it was meanwhile.
      if (current === undefined) return undefined;
      if (current.current !== undefined) return { key: current.current.publicKey, backup: current.backup };
      return { problem: current.problem ?? 'there is no sealing key' };
    },
    open: async (secret, version, signal) => {
      const keys = ring();
      const object = objectOf(secret.namespace, secret.object);
      if (keys === undefined || object === undefined) {
        throw new ManagerError('ManagerUnavailable', 'the sealing keys are not read yet');
      }
      try {
        return await openStored({ client, clusterUid }, object, version, keys, ANY_SIZE, signal);
      } catch (error) {
        throw asManagerError(error, secret, version.version);
      }
    },
  };
}

function found(secret: VersionedSecret | undefined): EmbeddedSecret | undefined {
  return secret === undefined || secret.metadata.deletionTimestamp !== undefined ? undefined : toEmbedded(secret);
}

/** Nothing that a version's own bytes could cause takes anything away from references: only its absence is definite. */
function asManagerError(error: unknown, { name, namespace }: EmbeddedSecret, version: number): unknown {
  if (error instanceof SealError) {
    return new ManagerError('ManagerUnavailable', `a version could not be opened: ${error.message}`, {
      ofOneSecret: true,
    });
  }
  if (isNotFound(error)) {
    return new ManagerError(
      'VersionNotFound',
      `version ${version} of secret ${name} in namespace ${namespace} is gone`,
    );
  }
  return error;
}

function toEmbedded(secret: VersionedSecret): EmbeddedSecret {
  const { metadata, spec, status } = secret;
  const disabled = new Set(spec.disabledVersions ?? []);
  const ready = conditionOf(status, 'Ready');
  const name = writtenName(secret);
  const limit =
    ready?.reason === 'LimitExceeded' ? ({ reason: 'LimitExceeded', message: ready.message } as const) : undefined;
  return {
    namespace: metadata.namespace,
    object: metadata.name,
    name,
    labels: metadata.labels,
    writeOnly: spec.writeOnly,
    latest: status.latest,
    previous: status.previous,
    // What was disabled a moment ago is not given out until the status says so.
    versions: (status.versions ?? []).map((stored) => (disabled.has(stored.version) ? disable(stored) : stored)),
    problem: hasItsName(secret)
      ? limit
      : { reason: 'NameMismatch', message: `its object is not called ${secretObjectName(name)}` },
  };
}

function disable(stored: StoredVersion): StoredVersion {
  return { ...stored, state: 'Disabled' };
}
