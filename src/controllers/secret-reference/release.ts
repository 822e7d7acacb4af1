import type { CallOptions, KubeClient } from '../../kube/client.ts';
import { secrets } from '../../kube/resource.ts';
import type { Failure } from './failure.ts';
import { type Reference, targetName } from './reference.ts';
import { readSecret } from './target.ts';
import { mergedUids, ownerUid } from './target-secret.ts';
import { withdrawMerged } from './withdraw-merged.ts';

/** Gives the target up where the manager's rules were withdrawn and say `onRevoked: Delete`. True where it was given up now. */
export async function releaseTarget(
  client: KubeClient,
  reference: Reference,
  failure: Failure,
  signal: AbortSignal,
): Promise<boolean> {
  if (failure.denied !== 'Delete' || reference.status.target === undefined) return false;
  const { namespace, uid } = reference.metadata;
  const options: CallOptions = { signal };
  const secret = await readSecret(client, { namespace, name: targetName(reference) }, options);
  if (secret === undefined) return true;
  if (ownerUid(secret) === uid) {
    const { name, uid: secretUid, resourceVersion } = secret.metadata;
    await client.delete(secrets, { namespace, name }, { ...options, uid: secretUid, resourceVersion });
  } else if (mergedUids(secret.metadata).includes(uid)) {
    await withdrawMerged(client, secret, uid, options);
  }
  return true;
}
