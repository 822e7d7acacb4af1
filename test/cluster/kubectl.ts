import { runCommand } from './command.ts';

/** What kubectl needs to reach a cluster; a `ControlPlane` is one. */
export interface KubectlTarget {
  /** Path of the kubectl binary. */
  readonly kubectl: string;
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
}

/** Runs kubectl, with `input` on its standard input, and gives its standard output. Throws with its standard error when it fails. */
export function runKubectl(target: KubectlTarget, args: readonly string[], input = ''): Promise<string> {
  return runCommand(target.kubectl, ['--kubeconfig', target.kubeconfig, ...args], { input });
}
