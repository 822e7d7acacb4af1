import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Store } from '../../kube/store.ts';
import type { Request } from '../../runtime/request.ts';
import { type Reference, targetName, toReference } from './reference.ts';
import { mergedAnnotation, mergedUids } from './target-secret.ts';
import { withdrawMerged } from './withdraw-merged.ts';

export interface WithdrawScope {
  readonly client: KubeClient;
  readonly references: Store<Reference>;
  readonly targets: Store<KubeObject>;
}

/**
 * One look at one merged Secret: the keys of references that are gone are taken back. Those of a reference that wants the Secret whole now stay until
 * it has it, or goes: nobody shall miss them in between.
 */
export async function withdrawOrphans(scope: WithdrawScope, request: Request, signal: AbortSignal): Promise<void> {
  const secret = scope.targets.get(request.namespace, request.name);
  if (secret === undefined) return;
  for (const uid of mergedUids(secret.metadata)) {
    if (scope.references.byIndex('uid', uid).some((reference) => targets(reference, request))) continue;
    const name = secret.metadata.annotations[mergedAnnotation(uid)] ?? '';
    // The cache may lag: keys go only after a direct look.
    if (await stillThere(scope.client, { namespace: request.namespace, name }, uid, request, signal)) continue;
    await withdrawMerged(scope.client, secret, uid, { signal });
    // The Secret has moved: the watch calls again for what is left.
    return;
  }
}

const OBJECT_NAME = /^[a-z0-9][-a-z0-9.]*$/;

function targets(reference: Reference, secret: Request): boolean {
  return reference.metadata.namespace === secret.namespace && targetName(reference) === secret.name;
}

async function stillThere(
  client: KubeClient,
  reference: Request,
  uid: string,
  secret: Request,
  signal: AbortSignal,
): Promise<boolean> {
  // Somebody changed our mark: no object has such a name, so nobody can be asked about it.
  if (!OBJECT_NAME.test(reference.name)) return false;
  try {
    const found = await client.get(secretReferences, reference, { signal });
    return found.metadata.uid === uid && targets(toReference(found), secret);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
