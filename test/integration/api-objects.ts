import { runKubectl } from '../cluster/kubectl.ts';
import type { SharedCluster } from './global-setup.ts';

type Json = Readonly<Record<string, unknown>>;

const apiVersion = 'keyferry.io/v1';

/** A SecretReference as a person writes it. `spec` may be wrong on purpose. */
export function reference(spec: unknown, name = 'api-db'): Json {
  return { apiVersion, kind: 'SecretReference', metadata: { name }, spec };
}

export function manager(spec: unknown, name = 'own'): Json {
  return { apiVersion, kind: 'SecretManager', metadata: { name }, spec };
}

export function clusterManager(spec: unknown, name = 'api-test'): Json {
  return { apiVersion, kind: 'ClusterSecretManager', metadata: { name }, spec };
}

/** The least that a good object of each kind has. */
export const goodData = { password: { secret: 'db.password' } };
export const goodAccess = [{ namespaces: { names: ['shop'] }, secrets: ['shop/*'] }];
export const goodAuth = { secretRef: { name: 'aws-keys' } };

/** Runs kubectl in a namespace, as a user where one is given. Gives its standard output, throws with its standard error. */
export type Kubectl = (args: readonly string[], object?: unknown) => Promise<string>;

export function kubectlIn(cluster: SharedCluster, namespace: string, user?: string): Kubectl {
  const asUser = user === undefined ? [] : ['--as', user];
  return (args, object) =>
    runKubectl(
      cluster,
      ['--namespace', namespace, ...asUser, ...args],
      object === undefined ? '' : JSON.stringify(object),
    );
}

/** What kubectl says when it fails; undefined when it succeeds. */
export async function refusal(action: Promise<string>): Promise<string | undefined> {
  try {
    await action;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
