import type { KubectlTarget } from '../cluster/kubectl.ts';

/** A cluster with at least one node that runs real pods. The images of the operator and of the applications are on it. */
export interface E2eCluster extends KubectlTarget {
  readonly kind: 'kind' | 'native';
  /** An address of this machine that pods reach, for servers that a test starts. */
  readonly hostAddress: string;
  /** Path of the Helm binary. */
  readonly helm: string;
  /** Ends the kubelet of the node as a crash would. Something starts it again, as systemd does. */
  readonly killKubelet: readonly [command: string, ...args: string[]];
}

declare module 'vitest' {
  interface ProvidedContext {
    e2e: E2eCluster;
  }
}

/** Started by the set-up of the run. */
export interface RunningCluster {
  readonly cluster: E2eCluster;
  readonly stop: () => Promise<void>;
}
