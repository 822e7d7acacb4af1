import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedProcess, startProcess } from '../../cluster/guarded-process.ts';
import { bridge, nodeDir, nodeName, paths } from './paths.ts';

/** For a container or virtual machine with cgroup v1 and no systemd. */
const config = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: bridge.address,
  // Nobody but this machine reaches the bridge, and the API server has no client certificate: without this there is no `kubectl logs`.
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
  clusterDNS: [bridge.address],
  clusterDomain: 'cluster.local',
  failSwapOn: false,
  // They would stay behind in this machine's tables.
  makeIPTablesUtilChains: false,
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupsPerQOS: false,
  enforceNodeAllocatable: [],
  featureGates: { KubeletInUserNamespace: true },
  localStorageCapacityIsolation: false,
  podLogsDir: paths.podLogs,
  // What a pod sees of a changed Secret is at most this old: the default of a minute only makes the tests longer.
  syncFrequency: '5s',
  evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
};

/** Milliseconds: one that ends at once does not take all of the processor. */
const restartDelay = 1_000;

export interface KubeletSpec {
  readonly binary: string;
  readonly kubeconfig: string;
}

export interface Kubelet {
  stop(): Promise<void>;
}

/** Starts the kubelet, which registers its node by itself, and starts it again whenever it ends, as systemd does. */
export async function superviseKubelet({ binary, kubeconfig }: KubeletSpec): Promise<Kubelet> {
  await mkdir(paths.kubelet, { recursive: true });
  const file = join(nodeDir, 'kubelet.yaml');
  await writeFile(file, JSON.stringify(config));
  const args = [
    `--config=${file}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${paths.kubelet}`,
    `--cert-dir=${join(paths.kubelet, 'pki')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${bridge.address}`,
  ];
  const start = (): Promise<GuardedProcess> =>
    startProcess({ command: binary, args, logFile: join(paths.logs, 'kubelet.log') });
  const stopping = new AbortController();
  let running = await start();
  const supervised = (async () => {
    for (;;) {
      await running.exited;
      await delay(restartDelay, undefined, { signal: stopping.signal });
      running = await start();
    }
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    stop: async () => {
      stopping.abort();
      await running.stop('SIGKILL');
      await supervised;
    },
  };
}
