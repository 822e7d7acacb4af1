import type { RolledKind } from '../../api/v1/rollout.ts';
import type { KubeBody } from '../../kube/client.ts';
import { markerValue } from '../rollout/marker.ts';
import type { Workload } from '../rollout/workload.ts';
import type { DueTarget } from './due.ts';

/**
 * What is applied to a workload that is due: every marker that our field manager has there, since an apply takes back what it leaves out, and the changed
 * ones. One that others set since is theirs: applied with its value it would look like ours.
 */
export function markerPatch(kind: RolledKind, workload: Workload, due: readonly DueTarget[]): KubeBody {
  const { name, namespace, uid, resourceVersion } = workload.metadata;
  const ours = [...workload.markers]
    .filter(([, marker]) => marker.ours)
    .map(([key, { value }]) => [key, value] as const);
  const changed = due.map(({ target, content }) => {
    const present = workload.markers.get(target.marker)?.value;
    return [target.marker, markerValue(content, present)] as const;
  });
  const template = { metadata: { annotations: Object.fromEntries([...ours, ...changed]) } };
  const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template };
  return { metadata: { name, namespace, uid, resourceVersion }, spec };
}
