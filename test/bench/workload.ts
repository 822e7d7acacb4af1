import { clusterSecretManagers, secretReferences } from '../../src/api/v1/resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces } from '../../src/kube/resource.ts';

export interface Workload {
  readonly references: number;
  readonly secretNames: readonly string[];
  /** Where the operator reaches the backend. */
  readonly endpoint: string;
}

const spaces = 10;
const parallel = 16;

/** The one data key of each reference's Secret. */
export const dataKey = 'password';

/** Creates a manager, namespaces, and references that take the secrets in turns. */
export async function createWorkload(client: KubeClient, workload: Workload, signal: AbortSignal): Promise<void> {
  const options = { signal, fieldManager: 'bench' };
  for (let space = 0; space < spaces; space += 1) {
    await client.create(namespaces, { metadata: { name: `bench-${space}` } }, options);
  }
  const spec = {
    aws: { endpoint: workload.endpoint },
    pollInterval: '30s',
    access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }],
  };
  await client.create(clusterSecretManagers, { metadata: { name: 'default' }, spec }, options);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < workload.references) {
      const body = reference(next, workload.secretNames);
      next += 1;
      await client.create(secretReferences, body, options);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}

function reference(index: number, secretNames: readonly string[]) {
  const name = `reference-${String(index).padStart(5, '0')}`;
  const secret = secretNames[index % secretNames.length];
  return { metadata: { name, namespace: `bench-${index % spaces}` }, spec: { data: { [dataKey]: { secret } } } };
}
