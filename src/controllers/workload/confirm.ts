import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findObject } from '../../kube/find-object.ts';
import type { KubeObject } from '../../kube/object.ts';
import { secrets } from '../../kube/resource.ts';
import type { Workload } from '../rollout/workload.ts';
import { mergedBy, type Reference, toReference } from '../secret-reference/reference.ts';
import { contentNames } from '../secret-reference/target-secret.ts';
import { type DueTarget, dueTarget } from './due.ts';

/**
 * Asks the API server itself whether a target is still due. The workload was seen before: had anybody marked it for a newer content since, the Secret that
 * is read now would name that, and the write that follows, pinned to what was seen, would be refused. So a marker never goes back.
 */
export async function confirmDue(
  client: KubeClient,
  workload: Workload,
  due: DueTarget,
  now: number,
  signal: AbortSignal,
): Promise<DueTarget | undefined> {
  const { metadata } = due.reference;
  const { namespace } = metadata;
  const [raw, secret] = await Promise.all([
    findObject(client, secretReferences, { namespace, name: metadata.name }, { signal }),
    findObject(client, secrets, { namespace, name: due.target.name }, { signal, metadataOnly: true }),
  ]);
  if (raw === undefined || secret === undefined) return undefined;
  return stillDue(workload, due, toReference(raw), secret, now);
}

/** Whether a target is due by what the API server itself says of the reference and of its Secret. Pure. */
export function stillDue(
  workload: Workload,
  due: DueTarget,
  reference: Reference,
  secret: KubeObject,
  now: number,
): DueTarget | undefined {
  const { uid } = due.reference.metadata;
  if (reference.metadata.uid !== uid) return undefined;
  const still = dueTarget(reference, workload, now);
  const held = secret.metadata.annotations[contentNames(mergedBy(reference)).content];
  const { target } = reference.status;
  return still !== undefined && held === still.content && secret.metadata.uid === target?.uid ? still : undefined;
}
