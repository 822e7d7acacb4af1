import { randomUUID } from 'node:crypto';
import { createTransport, type RequestRecord, type Transport } from '../../src/kube/transport.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { type KubeServer, loadKubeServer } from '../../src/kube/config.ts';
import { namespaces, type Resource } from '../../src/kube/resource.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { systemClock } from '../../src/runtime/clock.ts';

export const configMaps: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

export const never = new AbortController().signal;

export interface KubeConnection {
  readonly server: KubeServer;
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly requests: RequestRecord[];
}

/** Connects as the operator does. The caller closes the transport. */
export function connect(
  kubeconfig: string,
  options: { readonly impersonate?: { readonly user: string }; readonly server?: KubeServer } = {},
): KubeConnection {
  const server = options.server ?? loadKubeServer({ kubeconfig, clock: systemClock });
  const requests: RequestRecord[] = [];
  const transport = createTransport({
    server,
    clock: systemClock,
    random: Math.random,
    version: 'test',
    onRequest: (record) => requests.push(record),
    ...(options.impersonate === undefined ? {} : { impersonate: options.impersonate }),
  });
  return { server, transport, client: createKubeClient(transport), requests };
}

/** Makes a namespace that no other test uses, and gives its name. */
export async function makeNamespace(client: KubeClient, prefix: string): Promise<string> {
  const name = `${prefix}-${randomUUID().slice(0, 8)}`;
  await client.create(namespaces, { metadata: { name } }, { signal: never, fieldManager: 'test' });
  return name;
}

/** Runs `work` for each of `count` numbers, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) {
        next += 1;
        await work(next - 1);
      }
    }),
  );
}
