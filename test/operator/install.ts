import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeKubeconfig } from '../cluster/kubeconfig.ts';
import { type KubectlTarget, runKubectl } from '../cluster/kubectl.ts';
import { eventually } from './eventually.ts';

const root = join(import.meta.dirname, '..', '..');

/** Where the operator lives: namespace and service account, as the policies have them. */
export const operatorIdentity = { namespace: 'keyferry', serviceAccount: 'keyferry' } as const;

export interface InstallOptions {
  /** Whether the operator may delete pods that keep a StatefulSet stuck. Off by default, as it is for people. */
  readonly unstick?: boolean;
}

/** The files that an installation consists of, in the order in which they are applied. */
export function installationFiles({ unstick = false }: InstallOptions = {}): readonly string[] {
  const files = ['crds', 'policies', 'rbac'].flatMap((folder) => globSync(join(root, folder, '*.yaml')).toSorted());
  return files.filter((file) => unstick || basename(file) !== 'rollouts-unstick.yaml');
}

export interface InstallTarget extends KubectlTarget {
  readonly url: string;
  readonly ca: string;
}

/**
 * Installs CRDs, policies, roles and the operator's service account, and writes a kubeconfig that acts as it: the operator under test has the rights
 * that it has in production.
 */
export async function installKeyferry(
  cluster: InstallTarget,
  kubeconfig: string,
  options: InstallOptions = {},
): Promise<void> {
  const { namespace, serviceAccount } = operatorIdentity;
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
  ];
  await applyObjects(cluster, objects);
  await runKubectl(cluster, ['apply', '--server-side', ...installationFiles(options).flatMap((file) => ['-f', file])]);
  await runKubectl(cluster, ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await runKubectl(cluster, ['apply', '--server-side', '-f', join(root, 'types')]);
  const token = await runKubectl(cluster, ['create', 'token', serviceAccount, '-n', namespace, '--duration=24h']);
  await writeKubeconfig(kubeconfig, { url: cluster.url, ca: cluster.ca, token: token.trim(), user: serviceAccount });
  await policiesAct(cluster);
}

/** Applies objects as JSON, as `kubectl apply` by a person would. */
function applyObjects(
  cluster: KubectlTarget,
  objects: readonly object[],
  args: readonly string[] = [],
): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return runKubectl(cluster, ['apply', ...args, '-f', '-'], JSON.stringify(list));
}

/** A policy takes up to a second to act after it was made: waits until a status written by an administrator is refused. */
async function policiesAct(cluster: KubectlTarget): Promise<void> {
  const manager = { apiVersion: 'keyferry.io/v1', kind: 'ClusterSecretManager', metadata: { name: 'policy-probe' } };
  const spec = { aws: { region: 'eu-west-1' }, access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }] };
  await eventually('the policies act', async () => {
    await applyObjects(cluster, [{ ...manager, spec }]);
    const patch = JSON.stringify({ status: { backend: 'probe' } });
    const args = ['patch', 'csmgr', 'policy-probe', '--subresource=status', '--type=merge', '-p', patch];
    const refusal = await runKubectl(cluster, args).then(
      () => '',
      (error: unknown) => String(error),
    );
    if (!refusal.includes('belongs to the operator')) throw new Error(`not refused yet: ${refusal}`);
  });
  await runKubectl(cluster, ['delete', 'csmgr', 'policy-probe']);
}
