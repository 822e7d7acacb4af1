import { clusterSecretManagers, secretReferences } from '../../src/api/v1/resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces } from '../../src/kube/resource.ts';

export interface Workload {
  readonly references: number;
  readonly secretNames: readonly string[];
  /** Where the operator reaches the backend. */
  readonly endpoint: string;
  readonly pollInterval: string;
}

const spaces = 10;
const parallel = 16;

/** References and Deployments are spread evenly over the namespaces. */
export function namespaceOf(index: number): string {
  return `bench-${index % spaces}`;
}

/** The name of a reference, and so of its Secret. */
export function referenceName(index: number): string {
  return `reference-${String(index).padStart(5, '0')}`;
}

/** The one data key of each reference's Secret. */
export const dataKey = 'password';

/** Creates a manager, namespaces, and references that take the secrets in turns. */
export async function createWorkload(client: KubeClient, workload: Workload, signal: AbortSignal): Promise<void> {
  const options = { signal, fieldManager: 'bench' };
  for (let space = 0; space < spaces; space += 1) {
    await client.create(namespaces, { metadata: { name: namespaceOf(space) } }, options);
  }
  const spec = {
    aws: { endpoint: workload.endpoint },
    pollInterval: workload.pollInterval,
    access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }],
  };
  await client.create(clusterSecretManagers, { metadata: { name: 'default' }, spec }, options);
  await forEachIndex(workload.references, async (index) => {
    await client.create(secretReferences, reference(index, workload.secretNames), options);
  });
}

/** Calls for 0 to `total` - 1, several at once. */
export async function forEachIndex(total: number, call: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < total) {
      const index = next;
      next += 1;
      await call(index);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}

function reference(index: number, secretNames: readonly string[]) {
  const secret = secretNames[index % secretNames.length];
  const metadata = { name: referenceName(index), namespace: namespaceOf(index) };
  return { metadata, spec: { data: { [dataKey]: { secret } } } };
}
