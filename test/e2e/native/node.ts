import { mkdir, rm } from 'node:fs/promises';
import { ensureBinary } from '../../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { ProcessGroup } from '../../cluster/process-group.ts';
import type { Log } from '../../cluster/progress.ts';
import { cleanUp } from './clean-up.ts';
import { startContainerd } from './containerd.ts';
import { startDns } from './dns.ts';
import { cleanUpKubeProxy, startKubeProxy } from './kube-proxy.ts';
import { type Kubelet, superviseKubelet } from './kubelet.ts';
import { startNetwork } from './network.ts';
import { ensurePackages } from './packages.ts';
import { bridge, paths } from './paths.ts';

/** A control plane and one node that runs real pods, on this machine. */
export interface NativeNode {
  readonly controlPlane: ControlPlane;
  /** Ends everything and removes what it left on this machine. */
  stop(): Promise<void>;
}

interface NodeBinaries {
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly coredns: string;
}

/** Starts both; the node is not ready yet when this resolves. Must be root. One at a time on a machine. */
export async function startNativeNode(log: Log): Promise<NativeNode> {
  await ensurePackages(log);
  const binaries = {
    kubelet: await ensureBinary('kubelet', { log }),
    kubeProxy: await ensureBinary('kube-proxy', { log }),
    coredns: await ensureBinary('coredns', { log }),
  };
  await removeLeftovers(binaries);
  await mkdir(paths.logs, { recursive: true });
  const group = new ProcessGroup({ dir: paths.logs, temporary: false, log });
  let controlPlane: ControlPlane | undefined;
  let kubelet: Kubelet | undefined;
  const stop = async (): Promise<void> => {
    await kubelet?.stop();
    await controlPlane?.stop();
    await cleanUp();
    await group.stopAll();
    await removeLeftovers(binaries);
  };
  try {
    await startNetwork();
    await startContainerd(group);
    controlPlane = await startControlPlane({
      address: bridge.address,
      scheduler: true,
      log,
      apiServerArgs: [
        // So that the Service `kubernetes` has an endpoint.
        '--endpoint-reconciler-type=lease',
        '--authorization-mode=Node',
        '--kubelet-preferred-address-types=InternalIP',
        '--enable-admission-plugins=NodeRestriction',
      ],
    });
    kubelet = await startNodeParts(group, controlPlane, binaries);
    return { controlPlane, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNodeParts(
  group: ProcessGroup,
  controlPlane: ControlPlane,
  binaries: NodeBinaries,
): Promise<Kubelet> {
  await startKubeProxy(group, {
    binary: binaries.kubeProxy,
    kubeconfig: await controlPlane.kubeconfigFor('system:kube-proxy'),
  });
  await startDns(group, { binary: binaries.coredns, kubeconfig: controlPlane.kubeconfig });
  return superviseKubelet({
    binary: binaries.kubelet,
    kubeconfig: await controlPlane.kubeconfigFor('system:node:node-1'),
  });
}

/** What an interrupted run left, or this one. */
async function removeLeftovers(binaries: NodeBinaries): Promise<void> {
  await cleanUp();
  await cleanUpKubeProxy(binaries.kubeProxy);
  await rm(paths.containerdSocket, { force: true });
}
