/** Namespaces of Kubernetes itself. Nothing is ever written there: a Secret in them can be a key to the cluster. */
export const systemNamespaces = ['kube-system', 'kube-public', 'kube-node-lease'] as const;
