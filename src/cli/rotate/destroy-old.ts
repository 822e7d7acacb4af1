import { versionObjectName } from '../../api/v1/embedded-name.ts';
import { secretVersions } from '../../api/v1/resources.ts';
import { findObject } from '../../kube/find-object.ts';
import { type SecretObject, toVersion } from '../../managers/embedded/client/objects.ts';
import { asking } from '../../managers/embedded/client/refusal.ts';
import { type ClientSession, defaultPatience } from '../../managers/embedded/client/session.ts';
import { waitFor } from '../../managers/embedded/client/wait-for.ts';

/**
 * Deletes one version for good, once the operator has noted that nothing holds it any more: until then it is refused. False where it is gone already.
 * @throws ManagerError where it is refused, as one in use is
 */
export async function destroyVersion(
  { client, namespace, clock, patience = defaultPatience }: ClientSession,
  { metadata }: SecretObject,
  version: number,
  signal: AbortSignal,
): Promise<boolean> {
  const place = { namespace, name: versionObjectName(metadata.name, version) };
  const find = () => asking(() => findObject(client, secretVersions, place, { signal }));
  const unused = await waitFor(clock, patience, signal, async () => {
    const found = await find();
    return found === undefined || (toVersion(found).status.users ?? 0) === 0 ? { found } : undefined;
  });
  const object = unused === undefined ? await find() : unused.found;
  if (object === undefined) return false;
  await asking(() => client.delete(secretVersions, place, { uid: object.metadata.uid, signal }));
  return true;
}
