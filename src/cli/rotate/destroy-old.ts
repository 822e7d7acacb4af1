import { versionObjectName } from '../../api/v1/embedded-name.ts';
import { secretVersions } from '../../api/v1/resources.ts';
import { findObject } from '../../kube/find-object.ts';
import type { SecretObject } from '../../managers/embedded/client/objects.ts';
import { asking } from '../../managers/embedded/client/refusal.ts';
import type { ClientSession } from '../../managers/embedded/client/session.ts';

/** Deletes one version for good. False where it is gone already. @throws ManagerError where it is refused, as one in use is */
export async function destroyVersion(
  { client, namespace }: ClientSession,
  { metadata }: SecretObject,
  version: number,
  signal: AbortSignal,
): Promise<boolean> {
  const place = { namespace, name: versionObjectName(metadata.name, version) };
  const object = await asking(() => findObject(client, secretVersions, place, { signal, metadataOnly: true }));
  if (object === undefined) return false;
  await asking(() => client.delete(secretVersions, place, { uid: object.metadata.uid, signal }));
  return true;
}
