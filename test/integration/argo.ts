import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import type { SharedCluster } from './global-setup.ts';

const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rollouts.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { plural: 'rollouts', kind: 'Rollout' },
    versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {}, scale } }],
  },
};

/** Teaches the API server Argo's Rollouts, as objects without a controller. They stay: several files of tests may need them. */
export async function applyRolloutCrd(cluster: SharedCluster): Promise<void> {
  await runKubectl(cluster, ['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(crd));
  // `kubectl wait` gives up on a CRD that is too young to have conditions.
  await waitFor({ what: 'the API server to know Rollouts', timeout: 60_000 }, () =>
    runKubectl(cluster, ['get', crd.metadata.name, '--all-namespaces']),
  );
}
