import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '../../src/kube/client.ts';
import { loadKubeServer } from '../../src/kube/config.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { createTransport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { startMoto } from '../cluster/moto.ts';
import type { Log } from '../cluster/progress.ts';
import { installKeyferry } from '../operator/install.ts';
import { type OperatorProcess, startOperator } from '../operator/operator-process.ts';
import { type ApiCounts, readApiCounts } from './api-counts.ts';
import { awsEnv, type CountingProxy, createSecrets, type Secrets, startCountingProxy } from './backend.ts';
import { type Observer, startObserver } from './observer.ts';
import type { BenchSettings } from './settings.ts';
import { usageOf } from './usage.ts';
import { createWorkload } from './workload.ts';

/**
 * How an operator runs that is to stay small: V8 collects early instead of letting its heap grow, and what is not JavaScript's comes from one arena, since
 * one thread does nearly all.
 */
export const lean = { flags: ['--optimize-for-size'], env: { MALLOC_ARENA_MAX: '1' } } as const;

/** Without a controller-manager no rollout ends: none may wait for another, or for the end of its own. Polls come often, since what is measured begins with one. */
const forRollouts = {
  flags: ['--max-concurrent-rollouts=1000', '--rollout-min-interval=0s'],
  pollInterval: '5s',
} as const;
const forReferences = { flags: [], pollInterval: '30s' } as const;

/** Everything that a measurement needs. */
export interface Rig {
  readonly settings: BenchSettings;
  /** As an administrator. */
  readonly client: KubeClient;
  readonly observer: Observer;
  readonly proxy: CountingProxy;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
  apiCounts(): Promise<ApiCounts>;
  /** CPU seconds that etcd and the API server used since they began: their part of what is measured. */
  clusterCpu(): Promise<number>;
  startOperator(): Promise<OperatorProcess>;
}

/** Builds the parts, runs `measure` and takes everything down again. The control plane has no controller-manager: nobody but the operator writes. */
export async function withRig(settings: BenchSettings, log: Log, measure: (rig: Rig) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const dir = await mkdtemp(join(tmpdir(), 'keyferry-bench-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const cluster = await startControlPlane({ controllerManager: false, log });
    cleanups.push(() => cluster.stop());
    const moto = await startMoto({ log });
    cleanups.push(() => moto.stop());
    const proxy = await startCountingProxy(moto.url);
    cleanups.push(() => proxy.close());
    const kubeconfig = join(dir, 'operator.kubeconfig');
    await installKeyferry(cluster, kubeconfig);
    const server = loadKubeServer({ kubeconfig: cluster.kubeconfig, clock: systemClock });
    const transport = createTransport({ server, clock: systemClock, random: Math.random, version: 'bench' });
    cleanups.push(() => transport.close());
    const client = createKubeClient(transport);
    const { signal } = stop;
    const { flags, pollInterval } = settings.PHASES === 'rollouts' ? forRollouts : forReferences;
    log(`creating ${settings.SECRETS} secrets and ${settings.REFERENCES} references`);
    const secrets = await createSecrets(moto.url, settings.SECRETS);
    await createWorkload(
      client,
      { references: settings.REFERENCES, secretNames: secrets.names, endpoint: proxy.url, pollInterval },
      signal,
    );
    const logger = createLogger({ level: 'warn', format: 'text', clock: systemClock, output: process.stderr });
    const observer = await startObserver(transport, logger, signal);
    const env = { ...awsEnv, ...lean.env, NODE_OPTIONS: settings.OPERATOR_NODE_OPTIONS };
    await measure({
      settings,
      client,
      observer,
      proxy,
      secrets,
      signal,
      apiCounts: () => readApiCounts(transport, signal),
      clusterCpu: async () => {
        const used = await Promise.all(Object.values(cluster.pids()).map(usageOf));
        return used.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
      },
      startOperator: () => startOperator({ kubeconfig, env, flags, node: lean.flags }),
    });
  } finally {
    stop.abort();
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}
