import { versionedSecrets } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { safeMessage } from '../../runtime/errors.ts';
import { type Request, requestKey } from '../../runtime/request.ts';
import type { AuditLog } from '../audit.ts';
import { isOurs, type SecretVersion } from './secret-version.ts';

export interface LeftBehindScope {
  readonly client: KubeClient;
  readonly audit: AuditLog;
  /** The uid of each secret that this process has looked at, by its request. */
  readonly known: Map<string, string>;
}

/**
 * The versions of a secret that was deleted before our eyes: with it goes what was put into it. What git owns stays, and so does what was there before
 * we were: a backup may bring versions back before their secret.
 */
export async function leftBehind(
  scope: LeftBehindScope,
  request: Request,
  uid: string | undefined,
  versions: readonly SecretVersion[],
  signal: AbortSignal,
): Promise<readonly SecretVersion[]> {
  const key = requestKey(request);
  const former = scope.known.get(key);
  if (former === undefined || former === uid) {
    if (uid !== undefined) scope.known.set(key, uid);
    return [];
  }
  // A cache may be wrong; only the API server itself can say that a secret is gone.
  if (await isThere(scope.client, request, former, signal)) throw new CacheBehindError();
  const { namespace, name } = request;
  // Who deleted it, only the API server's own audit log knows.
  await scope.audit.record({ action: 'delete', user: 'not named', namespace, secret: name, result: 'Allowed' });
  if (uid === undefined) scope.known.delete(key);
  else scope.known.set(key, uid);
  return versions.filter((version) => isOurs(version) && version.status.state === 'Accepted');
}

/** Tried again until the cache knows better. */
class CacheBehindError extends Error {
  override readonly name = 'CacheBehindError';
  readonly [safeMessage] = true;
  override readonly message = 'the cache does not know a secret that is there';
}

async function isThere(client: KubeClient, request: Request, uid: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.get(versionedSecrets, request, { signal, metadataOnly: true })).metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
