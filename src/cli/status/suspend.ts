import { annotations } from '../../api/v1/names.ts';
import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReferenceView } from './reference.ts';

type Client = Pick<KubeClient, 'mergePatch'>;
const fieldManager = 'keyferry-cli';

/** Stops what the operator does for a reference, until somebody resumes it. */
export async function suspend(client: Client, reference: ReferenceView, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = reference.metadata;
  await client.mergePatch(
    secretReferences,
    { metadata: { name, namespace, uid }, spec: { suspend: true } },
    { signal, fieldManager },
  );
}

/** The same until a time, in milliseconds since the epoch. The spec stays as it is, which may be git's. */
export async function suspendUntil(
  client: Client,
  reference: ReferenceView,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = reference.metadata;
  const own = { [annotations.suspendUntil]: new Date(until).toISOString() };
  await client.mergePatch(
    secretReferences,
    { metadata: { name, namespace, uid, annotations: own } },
    { signal, fieldManager },
  );
}

/** Ends both. */
export async function resume(client: Client, reference: ReferenceView, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = reference.metadata;
  const own = { [annotations.suspendUntil]: null };
  const spec = reference.spec.suspend ? { spec: { suspend: false } } : {};
  await client.mergePatch(
    secretReferences,
    { metadata: { name, namespace, uid, annotations: own }, ...spec },
    { signal, fieldManager },
  );
}
