import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterSecretManagers } from '../../../src/api/v1/resources.ts';
import { embeddedManager, type Keyferry, keyferry } from '../../../src/index.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { loadKubeServer } from '../../../src/kube/config.ts';
import { namespaces } from '../../../src/kube/resource.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import { createTransport } from '../../../src/kube/transport.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLogger } from '../../../src/runtime/logging.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import type { Log } from '../../cluster/progress.ts';
import { installKeyferry } from '../../operator/install.ts';
import { type OperatorProcess, startOperator } from '../../operator/operator-process.ts';
import { type ApiCounts, readApiCounts } from '../api-counts.ts';
import { lean } from '../rig.ts';
import type { BenchSettings } from '../settings.ts';
import { startTargets, type Targets } from './targets.ts';

/** A cluster whose default manager keeps secrets in it, and a person with all rights. */
export interface EmbeddedRig {
  readonly settings: BenchSettings;
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly targets: Targets;
  readonly signal: AbortSignal;
  /** The library's own way to the secrets of a namespace. */
  secretsOf(namespace: string): Keyferry;
  apiCounts(): Promise<ApiCounts>;
  startOperator(): Promise<OperatorProcess>;
}

/** Builds the parts, runs `measure` and takes everything down again. There is no controller-manager: nobody but the operator and the person writes. */
export async function withEmbeddedRig(
  settings: BenchSettings,
  log: Log,
  measure: (rig: EmbeddedRig) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const dir = await mkdtemp(join(tmpdir(), 'keyferry-bench-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const cluster = await startControlPlane({ controllerManager: false, log });
    cleanups.push(() => cluster.stop());
    const kubeconfig = join(dir, 'operator.kubeconfig');
    await installKeyferry(cluster, kubeconfig);
    const server = loadKubeServer({ kubeconfig: cluster.kubeconfig, clock: systemClock });
    const transport = createTransport({ server, clock: systemClock, random: Math.random, version: 'bench' });
    cleanups.push(() => transport.close());
    const client = createKubeClient(transport);
    const { signal } = stop;
    await createPlaces(client, settings, signal);
    const logger = createLogger({ level: 'warn', format: 'text', clock: systemClock, output: process.stderr });
    const env = { ...lean.env, NODE_OPTIONS: settings.OPERATOR_NODE_OPTIONS };
    await measure({
      settings,
      client,
      kubeconfig: cluster.kubeconfig,
      targets: await startTargets(transport, logger, signal),
      signal,
      secretsOf: (namespace) => {
        const manager = embeddedManager({ kubeconfig: cluster.kubeconfig, namespace });
        cleanups.push(async () => manager.close());
        return keyferry(manager);
      },
      apiCounts: () => readApiCounts(transport, signal),
      startOperator: () => startOperator({ kubeconfig, env, node: lean.flags }),
    });
  } finally {
    stop.abort();
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** Namespaces, and the manager that lets each keep all of the secrets. */
async function createPlaces(client: KubeClient, settings: BenchSettings, signal: AbortSignal): Promise<void> {
  const options = { signal, fieldManager: 'bench' };
  for (const name of placesOf(settings)) await client.create(namespaces, { metadata: { name } }, options);
  const { SECRETS, VALUE_BYTES, VERSIONS } = settings;
  const limits = { secrets: SECRETS, valueBytes: Math.max(65_536, VALUE_BYTES), versions: Math.max(10, VERSIONS) };
  await client.create(
    clusterSecretManagers,
    { metadata: { name: 'default' }, spec: { embedded: { limits } } },
    options,
  );
}

export function placesOf({ NAMESPACES }: BenchSettings): readonly string[] {
  return Array.from({ length: NAMESPACES }, (_, index) => `bench-${index}`);
}
