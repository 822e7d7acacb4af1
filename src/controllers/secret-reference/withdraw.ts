import { secretReferences } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Store } from '../../kube/store.ts';
import type { Request } from '../../runtime/request.ts';
import { annotations } from '../../api/v1/names.ts';
import { type Reference, targetName, toReference } from './reference.ts';
import { withdrawMerged } from './target.ts';
import { mergedUids } from './target-secret.ts';

export interface WithdrawScope {
  readonly client: KubeClient;
  readonly references: Store<Reference>;
  readonly targets: Store<KubeObject>;
}

/** One look at one merged Secret: the keys of references that are gone, or no longer merge into it, are taken back. */
export async function withdrawOrphans(scope: WithdrawScope, request: Request, signal: AbortSignal): Promise<void> {
  const secret = scope.targets.get(request.namespace, request.name);
  if (secret === undefined) return;
  for (const uid of mergedUids(secret.metadata)) {
    const name = secret.metadata.annotations[`${annotations.merged}${uid}`] ?? '';
    if (mergesInto(scope.references.byIndex('uid', uid)[0], request)) continue;
    // The cache may lag: keys go only after a direct look.
    if (await stillThere(scope.client, { namespace: request.namespace, name }, uid, request, signal)) continue;
    await withdrawMerged(scope.client, secret, uid, { signal });
    // The Secret has moved: the watch calls again for what is left.
    return;
  }
}

function mergesInto(reference: Reference | undefined, secret: Request): boolean {
  if (reference === undefined) return false;
  return reference.spec.target.ownership === 'Merge' && targetName(reference) === secret.name;
}

async function stillThere(
  client: KubeClient,
  reference: Request,
  uid: string,
  secret: Request,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const found = await client.get(secretReferences, reference, { signal });
    return found.metadata.uid === uid && mergesInto(toReference(found), secret);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
