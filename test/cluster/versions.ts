/** What the test control plane is made of. The Go modules in `tools` and `tools-etcd` pin the same versions. */
export const kubernetesVersion = 'v1.36.3';
export const etcdVersion = 'v3.6.16';

export type BinaryName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl';
