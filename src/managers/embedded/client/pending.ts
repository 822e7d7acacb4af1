import { versionObjectName } from '../../../api/v1/embedded-name.ts';
import { secretVersions } from '../../../api/v1/resources.ts';
import { findObject } from '../../../kube/find-object.ts';
import { type SecretObject, toVersion, type VersionObject } from './objects.ts';
import { asking } from './refusal.ts';
import type { ClientSession } from './session.ts';

const MOST = 10;

/** Versions that were put and that the operator has not accepted yet. They are those with the next numbers: all of a namespace are not read for it. */
export async function pendingVersions(
  { client, namespace }: ClientSession,
  { metadata, status }: SecretObject,
  signal: AbortSignal,
): Promise<readonly VersionObject[]> {
  const found: VersionObject[] = [];
  for (let version = (status.lastVersion ?? 0) + 1; found.length < MOST; version += 1) {
    const name = versionObjectName(metadata.name, version);
    const object = await asking(() => findObject(client, secretVersions, { namespace, name }, { signal }));
    if (object === undefined) break;
    found.push(toVersion(object));
  }
  return found;
}
