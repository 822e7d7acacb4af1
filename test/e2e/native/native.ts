import { z } from 'zod';
import { ensureBinary } from '../../cluster/binaries.ts';
import { runKubectl } from '../../cluster/kubectl.ts';
import { type Log, withProgress } from '../../cluster/progress.ts';
import { waitFor } from '../../cluster/wait.ts';
import type { RunningCluster } from '../cluster.ts';
import { buildNativeImages, importImages } from '../images/native-images.ts';
import { startNativeNode } from './node.ts';
import { ensurePackages } from './packages.ts';
import { bridge, nodeName, paths } from './paths.ts';

/** Makes a cluster of this machine: a control plane, and a node of containerd, kubelet, kube-proxy and CoreDNS. Must be root. */
export async function startNative(log: Log): Promise<RunningCluster> {
  await ensurePackages(log);
  const helm = await ensureBinary('helm', { log });
  await buildNativeImages(log);
  const node = await withProgress('Starting a node on this machine', log, () => startNativeNode(log));
  const { kubectl, kubeconfig } = node.controlPlane;
  try {
    await importImages(log);
    await withProgress('Waiting for the node to be ready', log, () => nodeReady({ kubectl, kubeconfig }));
  } catch (error) {
    await node.stop();
    throw error;
  }
  return {
    cluster: {
      kind: 'native',
      kubectl,
      kubeconfig,
      helm,
      hostAddress: bridge.address,
      killKubelet: ['pkill', '-KILL', '-f', `kubelet .*--root-dir=${paths.kubelet}`],
    },
    stop: () => node.stop(),
  };
}

const nodeSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
});

async function nodeReady(target: { readonly kubectl: string; readonly kubeconfig: string }): Promise<void> {
  await waitFor({ what: `the node ${nodeName} to be ready`, timeout: 120_000, interval: 500 }, async () => {
    const node = nodeSchema.parse(JSON.parse(await runKubectl(target, ['get', 'node', nodeName, '-o', 'json'])));
    return node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? true : undefined;
  });
}
