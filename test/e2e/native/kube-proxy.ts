import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../cluster/command.ts';
import type { ProcessGroup } from '../../cluster/process-group.ts';
import { bridge, nodeDir, nodeName } from './paths.ts';

export interface KubeProxySpec {
  readonly binary: string;
  readonly kubeconfig: string;
}

/** Starts what makes the addresses of Services work. */
export async function startKubeProxy(group: ProcessGroup, { binary, kubeconfig }: KubeProxySpec): Promise<void> {
  const file = join(nodeDir, 'kube-proxy.yaml');
  const config = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode: 'iptables',
    clusterCIDR: bridge.subnet,
    hostnameOverride: nodeName,
    healthzBindAddress: `${bridge.address}:10256`,
    metricsBindAddress: `${bridge.address}:10249`,
    // Pods of one bridge would answer each other directly, past the translation of addresses.
    iptables: { masqueradeAll: true, minSyncPeriod: '100ms' },
    conntrack: { maxPerCore: 0 },
  };
  await writeFile(file, JSON.stringify(config));
  await group.start('kube-proxy', binary, [`--config=${file}`]);
}

/** Removes the rules of kube-proxy from this machine; its own clean-up leaves one chain. */
export async function cleanUpKubeProxy(binary: string): Promise<void> {
  await runCommand(binary, ['--cleanup']);
  const chain = 'KUBE-FIREWALL';
  const steps = [
    ['-D', 'INPUT', '-j', chain],
    ['-D', 'OUTPUT', '-j', chain],
    ['-F', chain],
    ['-X', chain],
  ];
  for (const step of steps) {
    // Where it is not there, that is fine.
    await runCommand('iptables', ['-w', ...step]).catch(() => '');
  }
}
