import { clusterSecretManagers, secretManagers, versionedSecrets } from '../api/v1/resources.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces } from '../kube/resource.ts';
import type { Things } from './grant/verbs.ts';
import { isThere } from './is-there.ts';

type Getter = Pick<KubeClient, 'get'>;

/** What is named and is not there. It may be made later, so it is no error; more often it is a slip. Who may not look is told nothing. */
export async function missingThings(
  client: Getter,
  { resource: plural, names = [] }: Things,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const resource = [versionedSecrets, clusterSecretManagers, secretManagers].find((one) => one.plural === plural);
  if (resource === undefined) return [];
  const scope = resource.namespaced ? namespace : '';
  const there = await Promise.all(names.map((name) => isThere(client, resource, { namespace: scope, name }, signal)));
  const where = resource.namespaced ? ` in namespace ${namespace}` : '';
  return names
    .filter((_name, index) => there[index] === false)
    .map((name) => `note: there is no ${resource.kind} ${name}${where} (yet)`);
}

/** The same of a namespace, in which there would be nothing to list. */
export async function missingNamespace(
  client: Getter,
  namespace: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const there = await isThere(client, namespaces, { namespace: '', name: namespace }, signal);
  return there === false ? `note: there is no namespace ${namespace} (yet)` : undefined;
}
