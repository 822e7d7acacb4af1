import { annotations } from '../../../api/v1/names.ts';
import { base64, buildOwnedSecret } from '../../testing/builders.ts';
import { type Cluster, heldContent, newPods, newReference } from './model-cluster.ts';
import { newOperator, stepLook } from './model-operator.ts';
import { rule } from './model-rule.ts';

const empty: Cluster = {
  now: 0,
  latest: 0,
  secret: undefined,
  reference: undefined,
  pods: [],
  history: [],
  made: 0,
};

/** A reference that nobody has looked at, and a workload that waits for its Secret. */
export function newCluster(): Cluster {
  const cluster = { ...empty, reference: newReference('reference-1'), made: 1 };
  return { ...cluster, pods: [newPods(cluster, 'api', 'workload-api')] };
}

/** A reference in sync, and a workload that has run on its Secret from the start and was never rolled out. Ten minutes old. */
export function settledCluster(latest = 0): Cluster {
  return { ...undisturbed(looked({ ...newCluster(), latest })), now: 600 };
}

/** The Secret holds another version than that the workload started on, and the status says so: a rollout is due. */
export function dueCluster(latest: number): Cluster {
  return looked({ ...settledCluster(), latest });
}

/** The Secret was changed to a newer version, and the operator died before it could say so. */
export function inFlightCluster(before: number, latest: number): Cluster {
  return looked({ ...settledCluster(before), latest }, 'secret');
}

/** A Secret of others that may be taken over, and a workload that runs on it. */
export function adoptableCluster(bytes: string): Cluster {
  const secret = buildOwnedSecret({
    data: { password: base64(bytes) },
    metadata: { labels: {}, ownerReferences: [], managedFields: [], annotations: { [annotations.adopt]: 'true' } },
  });
  const cluster = { ...newCluster(), secret, now: 600 };
  return undisturbed({ ...cluster, pods: [newPods(cluster, 'api', 'workload-api')] });
}

/** After looks at the reference until there is nothing left to do, or until the Secret has another content. */
function looked(start: Cluster, until: 'rest' | 'secret' = 'rest'): Cluster {
  let cluster = start;
  let operator = newOperator(cluster, rule);
  for (let step = stepLook(rule, cluster, operator); step !== undefined; step = stepLook(rule, cluster, operator)) {
    const changed = heldContent(step.cluster.secret) !== heldContent(start.secret);
    ({ cluster } = step);
    if (changed && until === 'secret') return cluster;
    const { cache, reading } = newOperator(cluster, rule);
    operator = { ...step.operator, cache, reading };
  }
  return cluster;
}

function undisturbed(cluster: Cluster): Cluster {
  const pods = cluster.pods.map((each) => ({ ...each, inWindow: false, everInWindow: false }));
  return { ...cluster, pods };
}
