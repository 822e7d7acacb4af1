import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReferenceView } from './reference.ts';

/** Stops or resumes what the operator does for a reference. */
export async function setSuspended(
  client: Pick<KubeClient, 'mergePatch'>,
  { metadata: { name, namespace, uid } }: ReferenceView,
  suspend: boolean,
  signal: AbortSignal,
): Promise<void> {
  const body = { metadata: { name, namespace, uid }, spec: { suspend } };
  await client.mergePatch(secretReferences, body, { signal, fieldManager: 'keyferry-cli' });
}
