import { isDeepStrictEqual } from 'node:util';
import { secretVersions, versionedSecrets } from '../../api/v1/resources.ts';
import type { SecretVersionStatus } from '../../api/v1/secret-version.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Store } from '../../kube/store.ts';
import { type Request, requestKey } from '../../runtime/request.ts';
import { type AuditTrail, toRecord } from '../audit-trail.ts';
import type { ObjectView } from '../object-view.ts';
import { soonest } from '../soonest.ts';
import { type ExamineScope, examine, type Look, type Told } from './examine.ts';
import { type LeftBehindScope, leftBehind } from './left-behind.ts';
import { isUrgent, nextSecretStatus } from './next-status.ts';
import { rotationDue } from './rotation.ts';
import { recordSecretEvents } from './secret-events.ts';
import { type SecretVersion, toSecretVersion } from './secret-version.ts';
import { toVersionedSecret, type VersionedSecret } from './versioned-secret.ts';
import { excessNote, tooManyWaiting } from './waiting.ts';

export interface SecretScope extends ExamineScope, LeftBehindScope {
  readonly view: ObjectView<VersionedSecret>;
  readonly versions: Store<SecretVersion>;
  /** What others did with secrets, for their status. */
  readonly trail: AuditTrail;
  readonly events: Pick<EventRecorder, 'record'>;
  /** When something was last written of each secret, by its request: monotonic milliseconds. */
  readonly lastWrites: Map<string, number>;
  readonly onVerdict: (result: 'accepted' | 'rejected') => void;
}

/** Milliseconds between two writes that tell only who uses a secret and what was done with it. */
const USAGE_INTERVAL = 5_000;
/** Timers don't reach further: a later date is looked at again on the way. */
const LONGEST_WAIT = 3_600_000;
/** Milliseconds: more of the same is to be done, once others had their turn. */
const AGAIN = 1;

/** One look at one secret. What it finds is written before anybody hears of it: the secret's status, then its versions'. */
export async function reconcileSecret(
  scope: SecretScope,
  request: Request,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const cached = scope.versions.byIndex('secret', requestKey(request));
  const known = cached.map((version) => scope.versionView.get(version.metadata) ?? version);
  // What somebody deleted is gone, though a finalizer may hold it.
  const all = known.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const secret = scope.view.get(request);
  const orphans = await leftBehind(scope, request, secret?.metadata.uid, all, signal);
  for (const version of orphans) await remove(scope, version, signal);
  const versions = all.filter((version) => !orphans.includes(version));
  // It goes, and then its versions with it: those are told by what they say of themselves.
  if (secret?.metadata.deletionTimestamp !== undefined) return {};
  if (secret === undefined) {
    await withoutSecret(scope, request, versions, signal);
    return {};
  }
  const look = await examine(scope, secret, versions, signal);
  const wait = await publish(scope, secret, look, signal);
  const [failure] = look.failures;
  if (failure !== undefined) throw failure;
  const rotation = rotationDue(secret.spec.rotateAfter, look.latestAt, scope.clock.now()).after;
  const after = soonest([wait, rotation && Math.min(rotation, LONGEST_WAIT), look.more ? AGAIN : undefined]);
  return after === undefined ? {} : { requeueAfter: after };
}

/** Gives the milliseconds after which what may wait is due; undefined where nothing waits. */
async function publish(
  scope: SecretScope,
  secret: VersionedSecret,
  look: Look,
  signal: AbortSignal,
): Promise<number | undefined> {
  const key = requestKey(secret.metadata);
  const now = scope.clock.monotonic();
  const left = USAGE_INTERVAL - (now - (scope.lastWrites.get(key) ?? -Infinity));
  const reported = await report(scope, secret, look, left <= 0, signal);
  const told = await tellAll(scope, look, reported === 'written' || left <= 0, signal);
  for (const version of look.remove) await remove(scope, version, signal);
  if (reported === 'written' || told === 'written') scope.lastWrites.set(key, now);
  return reported === 'later' || told === 'later' ? left : undefined;
}

/** Versions that are there before their secret wait for it. */
async function withoutSecret(
  scope: SecretScope,
  request: Request,
  versions: readonly SecretVersion[],
  signal: AbortSignal,
): Promise<void> {
  scope.view.forget(request);
  scope.lastWrites.delete(requestKey(request));
  const message = `there is no VersionedSecret ${request.name} in this namespace yet: it waits for it`;
  const status = { state: 'Pending', reason: 'SecretMissing', message } as const;
  const excess = tooManyWaiting(versions);
  const kept = versions.filter((version) => !excess.includes(version));
  await Promise.all(kept.map((version) => tell(scope, [version, status], signal)));
  for (const version of excess) {
    await scope.audit.record({ ...excessNote(version), namespace: request.namespace, secret: request.name });
    await remove(scope, version, signal);
  }
}

/** What became of something that may wait a little. */
type Written = 'unchanged' | 'written' | 'later';

/** Writes the status where it changed. `due`: also where only the users of the secret did. */
async function report(
  scope: SecretScope,
  secret: VersionedSecret,
  { findings, notes }: Look,
  due: boolean,
  signal: AbortSignal,
): Promise<Written> {
  const { name, namespace, uid, resourceVersion } = secret.metadata;
  const now = scope.clock.now();
  const pending = scope.trail.pending(namespace, name);
  const status = nextSecretStatus(secret, findings, [...pending, ...notes.map((entry) => toRecord(entry, now))], now);
  if (isDeepStrictEqual(secret.status, status)) return 'unchanged';
  if (!due && notes.length === 0 && !isUrgent(secret.status, status)) return 'later';
  const body = { metadata: { name, namespace, uid, resourceVersion }, status };
  const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
  scope.view.wrote(toVersionedSecret(await scope.client.apply(versionedSecrets, body, options)));
  scope.trail.written(namespace, name, pending);
  recordSecretEvents(scope.events, secret, status, notes);
  // Only now: a look that fails on the way is done again, and would note it twice.
  for (const entry of notes) {
    await scope.audit.record(entry);
    if (entry.action === 'reject') scope.onVerdict('rejected');
    if (entry.action === 'put' || entry.action === 'rollback') scope.onVerdict('accepted');
  }
  return 'written';
}

/** `due`: also where only the number of users changed. */
async function tellAll(scope: SecretScope, { told }: Look, due: boolean, signal: AbortSignal): Promise<Written> {
  const changed = told.filter(([version, status]) => !isDeepStrictEqual(version.status, status));
  const urgent = changed.filter(([{ status: before }, after]) => !sameButUsers(before, after));
  await Promise.all((due ? changed : urgent).map((each) => tell(scope, each, signal)));
  if (due) return changed.length === 0 ? 'unchanged' : 'written';
  return urgent.length < changed.length ? 'later' : 'unchanged';
}

function sameButUsers(before: SecretVersionStatus, after: SecretVersionStatus): boolean {
  return isDeepStrictEqual({ ...before, users: 0 }, { ...after, users: 0 });
}

/** Pinned to what it was decided on, or to what was sealed for it since. */
async function tell({ client, versionView }: SecretScope, [version, status]: Told, signal: AbortSignal): Promise<void> {
  if (isDeepStrictEqual(version.status, status)) return;
  const { name, namespace, uid } = version.metadata;
  const { resourceVersion } = (versionView.get(version.metadata) ?? version).metadata;
  try {
    const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
    const body = { metadata: { name, namespace, uid, resourceVersion }, status };
    versionView.wrote(toSecretVersion(await client.apply(secretVersions, body, options)));
  } catch (error) {
    // Deleted meanwhile: there is nobody left to tell.
    if (!isNotFound(error)) throw error;
  }
}

async function remove(
  { client, versionView }: SecretScope,
  { metadata }: SecretVersion,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  await client.delete(secretVersions, { namespace, name }, { uid, signal });
  versionView.forget(metadata);
}
