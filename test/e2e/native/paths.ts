import { join } from 'node:path';

/** Everything that the node writes. It is always the same folder, so that a run finds and removes what an interrupted one left. */
export const nodeDir = '/var/tmp/keyferry-e2e';

export const paths = {
  containerdSocket: join(nodeDir, 'containerd.sock'),
  containerdRoot: join(nodeDir, 'containerd', 'root'),
  containerdState: join(nodeDir, 'containerd', 'state'),
  cniConfig: join(nodeDir, 'cni'),
  cniState: join(nodeDir, 'cni-state'),
  kubelet: join(nodeDir, 'kubelet'),
  logs: join(nodeDir, 'logs'),
  podLogs: join(nodeDir, 'pod-logs'),
} as const;

export const nodeName = 'node-1';

/** The bridge that pods and host meet on. The API server, DNS and the AWS server listen at its address. */
export const bridge = { name: 'keyferry-e2e', address: '10.199.0.1', subnet: '10.199.0.0/24' } as const;
