import { readFile } from 'node:fs/promises';
import { z } from 'zod';
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

const eventSchema = z.object({
  user: z.object({ username: z.string() }),
  impersonatedUser: z.object({ username: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** What the API server's audit log says of requests in which a text stands: best a name that no other test has. */
export async function auditEvents(
  cluster: SharedCluster,
  text: string,
): Promise<readonly z.infer<typeof eventSchema>[]> {
  // The last line may be half written.
  const lines = (await readFile(cluster.auditLog, 'utf8')).split('\n').slice(0, -1);
  return lines.filter((line) => line.includes(text)).map((line) => eventSchema.parse(JSON.parse(line)));
}

/** What it says besides of the last one of them that a policy refused. */
export async function refusedIn(
  cluster: SharedCluster,
  text: string,
  policy: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const failure = 'validation.policy.admission.k8s.io/validation_failure';
  const said = (await auditEvents(cluster, text)).map(({ annotations }) => annotations);
  return said.findLast((annotations) => annotations[failure]?.includes(policy));
}
