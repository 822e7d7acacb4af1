import type { KubeClient, ObjectName } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import { findObject } from '../kube/find-object.ts';
import type { Resource } from '../kube/resource.ts';

/** Whether there is an object; undefined where it may not be asked. */
export async function isThere(
  client: Pick<KubeClient, 'get'>,
  resource: Resource,
  object: ObjectName,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    return (await findObject(client, resource, object, { signal, metadataOnly: true })) !== undefined;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
