import type { GetOptions, KubeClient, ObjectName } from './client.ts';
import { isNotFound } from './errors.ts';
import type { RawObject } from './object.ts';
import type { Resource } from './resource.ts';

/**
 * Reads an object; undefined where it does not exist.
 * @throws KubeError for anything else
 */
export async function findObject(
  client: Pick<KubeClient, 'get'>,
  resource: Resource,
  object: ObjectName,
  options: GetOptions,
): Promise<RawObject | undefined> {
  try {
    return await client.get(resource, object, options);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
