import type { AwsSpec, ClusterAwsSpec, ClusterSecretManagerSpec, SecretManagerSpec } from '../api/v1/secret-manager.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { awsManagerFactory } from './aws/factory.ts';
import type { EmbeddedBackend } from './embedded/backend.ts';
import { embeddedManagerFactory } from './embedded/factory.ts';
import { sharedHome } from './embedded/names.ts';
import { ManagerError } from './errors.ts';
import type { SecretManager } from './manager.ts';
import { embeddedNames, prefixedNames, type SecretNames } from './secret-names.ts';
import type { SecretValue } from './secret-value.ts';

/** A manager object's kind with its parsed spec: the cluster kind may set more. */
export type ManagerDeclaration =
  | { readonly kind: 'SecretManager'; readonly spec: SecretManagerSpec }
  | { readonly kind: 'ClusterSecretManager'; readonly spec: ClusterSecretManagerSpec };

/** Everything that a manager object's session is made from. */
export type ManagerSettings = ManagerDeclaration & {
  /** The manager object's name, for messages. */
  readonly name: string;
  /** The data of the Secret that `credentialsSecretOf` names; undefined where it names none. */
  readonly credentials: ReadonlyMap<string, SecretValue> | undefined;
  /** The uids of the cluster (of the namespace kube-system) and of the manager object. */
  readonly clusterUid: string;
  readonly managerUid: string;
  /** What keeps secrets in this cluster; undefined where the operator was told not to. */
  readonly embedded: EmbeddedBackend | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Makes the manager without asking the backend. Throws `ManagerError` where the settings can't work. */
export type ManagerFactory = (settings: ManagerSettings) => SecretManager;

/** The backends, by their field in a manager's spec. */
export const managerFactories = {
  aws: awsManagerFactory,
  embedded: embeddedManagerFactory,
} as const satisfies Record<string, ManagerFactory>;

export type Backend = keyof typeof managerFactories;

/** Which backend a manager's spec chooses; undefined where it chooses none. */
export function backendOf(spec: ManagerDeclaration['spec']): Backend | undefined {
  if (spec.aws !== undefined) return 'aws';
  return spec.embedded === undefined ? undefined : 'embedded';
}

/** The manager that a manager object asks for. Throws `ManagerError` where its spec or its credentials can't work. */
export function createManager(settings: ManagerSettings): SecretManager {
  const backend = backendOf(settings.spec);
  if (backend === undefined) {
    throw new ManagerError(
      'ManagerUnavailable',
      `${settings.kind} ${settings.name} names no backend: set one in its spec, for example embedded: {} or aws: {region: eu-west-1}`,
    );
  }
  return managerFactories[backend](settings);
}

/**
 * The name of the Secret with a manager's credentials, in the manager's own namespace (of a cluster manager: in the operator's);
 * undefined where the operator's own identity is used.
 */
export function credentialsSecretOf(spec: ManagerDeclaration['spec']): string | undefined {
  return awsOf(spec)?.auth?.secretRef?.name;
}

/** How references name the secrets of a manager. `namespace` is that of the manager object, empty for a cluster manager. */
export function namesOf(spec: ManagerDeclaration['spec'], namespace: string): SecretNames {
  if (spec.embedded === undefined) return prefixedNames(awsOf(spec)?.prefix ?? '');
  return embeddedNames(sharedHome(spec.embedded, namespace));
}

function awsOf(spec: ManagerDeclaration['spec']): AwsSpec | ClusterAwsSpec | undefined {
  return spec.aws;
}
