import { workloadResources } from '../../src/controllers/rollout/resources.ts';
import { completeStatus, type DeploymentPlan, deploymentBody } from './deployment.ts';
import type { Rig } from './rig.ts';
import { forEachIndex, namespaceOf, referenceName } from './workload.ts';

/** Requests that the making of one Deployment takes: the object, then its status. */
export const WRITES_OF_A_DEPLOYMENT = 2;

/** Creates Deployments whose pods run, as people and their controllers would. Each consumes the target of the reference of the same number, or no target at all. */
export async function createDeployments(rig: Rig, total: number, consumer: boolean): Promise<void> {
  await forEachIndex(total, async (index) => {
    const body = deploymentBody(planOf(index, consumer));
    const { Deployment } = workloadResources;
    // What manages the fields is part of the size.
    const asPerson = { signal: rig.signal, fieldManager: 'kubectl-client-side-apply' };
    const created = await rig.client.create(Deployment, body, asPerson);
    const status = completeStatus(created.metadata.generation, new Date().toISOString());
    const { name, namespace } = created.metadata;
    const asController = {
      signal: rig.signal,
      fieldManager: 'kube-controller-manager',
      subresource: 'status',
    } as const;
    await rig.client.mergePatch(Deployment, { metadata: { name, namespace }, status }, asController);
  });
}

function planOf(index: number, consumer: boolean): DeploymentPlan {
  const number = String(index).padStart(5, '0');
  const name = consumer ? `consumer-${number}` : `other-${number}`;
  return { namespace: namespaceOf(index), name, secret: consumer ? referenceName(index) : `${name}-db`, consumer };
}
