import { labels } from '../../api/v1/names.ts';
import type { CallOptions, KubeClient } from '../../kube/client.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { secrets } from '../../kube/resource.ts';
import { fieldManagerOf, mergedAnnotations, mergedUids } from './target-secret.ts';

/**
 * Takes back what a reference merged into a Secret: what its field manager no longer applies goes, unless somebody else answers for it too.
 * @throws KubeError a conflict where the Secret is not as it was seen.
 */
export async function withdrawMerged(
  client: KubeClient,
  secret: KubeObject,
  referenceUid: string,
  options: CallOptions,
): Promise<void> {
  const fieldManager = fieldManagerOf(referenceUid);
  const body = { metadata: pinnedName(secret) };
  const left = await client.apply(secrets, body, { ...options, fieldManager, force: false });
  if (!mergedUids(left.metadata).includes(referenceUid)) return;
  // Others wrote our marks as well: in a copy of a Secret, say. The last one takes the label along, and the Secret leaves our watch.
  const last = mergedUids(left.metadata).length === 1;
  const marks = {
    annotations: Object.fromEntries(mergedAnnotations(referenceUid).map((name) => [name, null])),
    ...(last ? { labels: { [labels.target]: null } } : {}),
  };
  await client.mergePatch(secrets, { metadata: { ...pinnedName(left), ...marks } }, { ...options, fieldManager });
}

function pinnedName({ metadata }: KubeObject | RawObject): {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
} {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { name, namespace, uid, resourceVersion };
}
