import { apiVersion, type Resource } from '../../kube/resource.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { secretReferences } from '../../api/v1/resources.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { Workload } from '../rollout/workload.ts';
import { shortVersion } from '../secret-reference/held-versions.ts';
import type { DueTarget } from './due.ts';

/** Tells of a rollout on the workload and on the references that it is for. */
export function recordRollout(
  events: Pick<EventRecorder, 'record'>,
  resource: Resource,
  { kind, metadata }: Workload,
  due: readonly DueTarget[],
): void {
  const { namespace, name, uid } = metadata;
  const common = { type: 'Normal', reason: 'RolledOut', action: 'RollOut' } as const;
  for (const { reference } of due) {
    const what = contentText(reference.status);
    const workload = { apiVersion: apiVersion(resource), kind, namespace, name, uid };
    const note = `rolled out for ${what} (SecretReference ${reference.metadata.name})`;
    events.record({ ...common, regarding: workload, note });
    const { name: referenceName, uid: referenceUid } = reference.metadata;
    const regarding = {
      apiVersion: apiVersion(secretReferences),
      kind: secretReferences.kind,
      namespace,
      name: referenceName,
      uid: referenceUid,
    };
    events.record({ ...common, regarding, note: `rolled out ${kind} ${name} for ${what}` });
  }
}

/** The version that came last: `db.password version 3`. */
function contentText({ versions = [] }: SecretReferenceStatus): string {
  const [first, ...others] = versions.toSorted((a, b) => Date.parse(b.since) - Date.parse(a.since));
  if (first === undefined) return 'new content';
  const more = others.filter(({ since }) => since === first.since).length;
  return `${first.secret} version ${shortVersion(first.version)}${more === 0 ? '' : ` (+${more})`}`;
}
