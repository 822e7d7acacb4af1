import { isDeepStrictEqual } from 'node:util';
import { secretVersions, versionedSecrets } from '../../api/v1/resources.ts';
import type { SecretVersionStatus } from '../../api/v1/secret-version.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Store } from '../../kube/store.ts';
import type { Request } from '../../runtime/request.ts';
import type { AuditLog } from '../audit.ts';
import { type AuditTrail, toRecord } from '../audit-trail.ts';
import type { ObjectView } from '../object-view.ts';
import { soonest } from '../soonest.ts';
import { examine, type ExamineScope, type Look } from './examine.ts';
import { isUrgent, nextSecretStatus } from './next-status.ts';
import { rotationDue } from './rotation.ts';
import type { SecretVersion } from './secret-version.ts';
import { toVersionedSecret, type VersionedSecret } from './versioned-secret.ts';

export interface SecretScope extends ExamineScope {
  readonly view: ObjectView<VersionedSecret>;
  readonly versions: Store<SecretVersion>;
  /** What others did with secrets, for their status. */
  readonly trail: AuditTrail;
  readonly audit: AuditLog;
  /** When each secret's status was last written, by uid: monotonic milliseconds. */
  readonly lastWrites: Map<string, number>;
  readonly onVerdict: (result: 'accepted' | 'rejected') => void;
}

/** Milliseconds between two writes that tell only who uses a secret and what was done with it. */
const USAGE_INTERVAL = 5_000;
/** Timers don't reach further: a later date is looked at again on the way. */
const LONGEST_WAIT = 3_600_000;

/** One look at one secret. What it finds is written before anybody hears of it: the secret's status, then its versions'. */
export async function reconcileSecret(
  scope: SecretScope,
  request: Request,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const versions = scope.versions.byIndex('secret', `${request.namespace}/${request.name}`);
  const secret = scope.view.get(request);
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) {
    scope.view.forget(request);
    const message = `there is no VersionedSecret ${request.name} in this namespace yet: it waits for it`;
    await Promise.all(
      versions.map((each) => tell(scope, each, { state: 'Pending', reason: 'SecretMissing', message }, signal)),
    );
    return {};
  }
  const look = await examine(scope, secret, versions, signal);
  const wait = await report(scope, secret, look, signal);
  await Promise.all(look.told.map(([version, status]) => tell(scope, version, status, signal)));
  for (const version of look.remove) await remove(scope, version, signal);
  const due = rotationDue(secret.spec.rotateAfter, look.latestAt, scope.clock.now()).after;
  const after = soonest([wait, due === undefined ? undefined : Math.min(due, LONGEST_WAIT)]);
  return after === undefined ? {} : { requeueAfter: after };
}

/** Writes the status where it changed. Gives the milliseconds after which what may wait is due. */
async function report(
  scope: SecretScope,
  secret: VersionedSecret,
  { findings, notes }: Look,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { name, namespace, uid, resourceVersion } = secret.metadata;
  const now = scope.clock.now();
  const pending = scope.trail.pending(namespace, name);
  const status = nextSecretStatus(secret, findings, [...pending, ...notes.map((entry) => toRecord(entry, now))], now);
  if (isDeepStrictEqual(secret.status, status)) return undefined;
  const wait = scope.clock.monotonic() - (scope.lastWrites.get(uid) ?? -Infinity);
  if (!isUrgent(secret.status, status) && wait < USAGE_INTERVAL) return USAGE_INTERVAL - wait;
  const body = { metadata: { name, namespace, uid, resourceVersion }, status };
  const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
  scope.view.wrote(toVersionedSecret(await scope.client.apply(versionedSecrets, body, options)));
  scope.trail.written(namespace, name, pending);
  // Only now: a look that fails on the way is done again, and would note it twice.
  for (const entry of notes) {
    await scope.audit.record(entry);
    if (entry.action === 'reject') scope.onVerdict('rejected');
    if (entry.action === 'put' || entry.action === 'rollback') scope.onVerdict('accepted');
  }
  scope.lastWrites.set(uid, scope.clock.monotonic());
  return undefined;
}

async function tell(
  { client }: SecretScope,
  version: SecretVersion,
  status: SecretVersionStatus,
  signal: AbortSignal,
): Promise<void> {
  if (isDeepStrictEqual(version.status, status)) return;
  const { name, namespace, uid } = version.metadata;
  try {
    const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
    await client.apply(secretVersions, { metadata: { name, namespace, uid }, status }, options);
  } catch (error) {
    // Deleted meanwhile: there is nobody left to tell.
    if (!isNotFound(error)) throw error;
  }
}

async function remove({ client }: SecretScope, { metadata }: SecretVersion, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = metadata;
  await client.delete(secretVersions, { namespace, name }, { uid, signal });
}
