import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { installationFiles } from '../operator/install.ts';
import { type Kubectl, refusal } from './api-objects.ts';
import type { SharedCluster } from './global-setup.ts';

export const operator = 'system:serviceaccount:keyferry:keyferry';

/** Applies the roles and waits until `view` and `edit` have learned of our kinds. */
export async function applyRoles(cluster: SharedCluster): Promise<void> {
  const files = installationFiles().filter((file) => file.includes('/rbac/'));
  await runKubectl(cluster, ['apply', '--server-side', '--force-conflicts', ...files.flatMap((file) => ['-f', file])]);
  await waitFor({ what: 'edit to learn of references', timeout: 30_000 }, async () => {
    const rules = await runKubectl(cluster, ['get', 'clusterrole', 'edit', '-o', 'jsonpath={.rules}']);
    return rules.includes('secretreferences') ? true : undefined;
  });
}

/** Waits until something is refused with a text: a policy or a role takes a moment to act. */
export function refusedWith(action: () => Promise<string>, says: string): Promise<string> {
  return waitFor({ what: `a refusal with "${says}"`, timeout: 30_000 }, async () => {
    const message = await refusal(action());
    return message?.includes(says) === true ? message : undefined;
  });
}

/** Waits until something succeeds: a role takes a moment to act. */
export function accepted(action: () => Promise<string>): Promise<string> {
  return waitFor({ what: 'the API server to accept it', timeout: 30_000 }, action);
}

/** Lets a user do something with some resources in a namespace, ours where no other group is given. kubectl's own `create role` does not know our verbs. */
export async function grant(
  kubectl: Kubectl,
  user: string,
  rule: {
    readonly verb: string;
    readonly resource: string;
    readonly names: readonly string[];
    readonly group?: string;
  },
): Promise<void> {
  const name = `${user}-${rule.verb}-${rule.resource}-${rule.names.join('-')}`;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [
    {
      apiGroups: [rule.group ?? 'keyferry.io'],
      resources: [rule.resource],
      resourceNames: rule.names,
      verbs: [rule.verb],
    },
  ];
  await kubectl(['create', '-f', '-'], { apiVersion, kind: 'Role', metadata: { name }, rules });
  await kubectl(['create', 'rolebinding', name, `--role=${name}`, `--user=${user}`]);
}
