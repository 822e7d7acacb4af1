import { annotations } from '../../api/v1/names.ts';
import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { clientFieldManager } from '../../managers/embedded/client/session.ts';
import type { ReferenceView } from './reference.ts';

type Client = Pick<KubeClient, 'mergePatch'>;

/** Stops what the operator does for a reference, until somebody resumes it. */
export function suspend(client: Client, reference: ReferenceView, signal: AbortSignal): Promise<void> {
  return change(client, reference, { suspend: true }, signal);
}

/** The same until a time, in milliseconds since the epoch. The spec stays as it is, which may be git's. */
export function suspendUntil(
  client: Client,
  reference: ReferenceView,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  return change(client, reference, { until: new Date(until).toISOString() }, signal);
}

/** Ends both. */
export function resume(client: Client, reference: ReferenceView, signal: AbortSignal): Promise<void> {
  const spec = reference.spec.suspend ? { suspend: false } : {};
  return change(client, reference, { until: null, ...spec }, signal);
}

/** What is left out stays as it is; null takes the time away. */
interface Change {
  readonly suspend?: boolean;
  readonly until?: string | null;
}

async function change(
  client: Client,
  { metadata: { name, namespace, uid } }: ReferenceView,
  { suspend: suspended, until }: Change,
  signal: AbortSignal,
): Promise<void> {
  const own = until === undefined ? {} : { annotations: { [annotations.suspendUntil]: until } };
  const spec = suspended === undefined ? {} : { spec: { suspend: suspended } };
  const body = { metadata: { name, namespace, uid, ...own }, ...spec };
  await client.mergePatch(secretReferences, body, { signal, fieldManager: clientFieldManager });
}
