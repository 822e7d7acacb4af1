/** What the test control plane is made of. The Go modules in `tools` and `tools-etcd` pin the same versions. */
export const kubernetesVersion = 'v1.36.3';
export const etcdVersion = 'v3.6.16';

/** What the chart is tested with. The Go module in `tools-helm` pins the same version. */
export const helmVersion = 'v3.22.0';
/** What answers the pods' questions on the test node. The Go module in `tools-coredns` pins the same version. */
export const corednsVersion = 'v1.14.7';

export type ControlPlaneBinary = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl';
/** What a node runs beside a container runtime. */
export type NodeBinary = 'kubelet' | 'kube-proxy' | 'coredns';
export type BinaryName = ControlPlaneBinary | NodeBinary | 'helm';
