import type { CallOptions, KubeBody, KubeClient } from '../../kube/client.ts';
import { isAlreadyExists, isConflict, isForbidden, isInvalid } from '../../kube/errors.ts';
import { findObject } from '../../kube/find-object.ts';
import { secrets } from '../../kube/resource.ts';
import type { DesiredTarget } from './desired-target.ts';
import { definite, type Failure } from './failure.ts';
import { contentOf, type NamedContent } from './target-content.ts';
import { newTarget, planTarget } from './target-plan.ts';
import { type ExistingSecret, lastWrittenBy, toExistingSecret } from './target-secret.ts';

/** What a Secret was after a look at its bytes. */
export interface TargetSeen {
  readonly uid: string;
  readonly resourceVersion: string;
  /** The content that it names; undefined where it names none. */
  readonly content?: string | undefined;
  /** The content before; empty at the first, undefined where nobody looked. */
  readonly previous?: string | undefined;
  /** When we last wrote it, by the API server's own record. */
  readonly changedAt?: string | undefined;
}

export type TargetOutcome =
  | { readonly state: 'synced'; readonly seen: TargetSeen; readonly change: 'none' | 'created' | 'bytes' | 'metadata' }
  /** It holds what somebody else wrote, who may know more: nothing was written. */
  | { readonly state: 'unsure' }
  | { readonly state: 'failed'; readonly failure: Failure };

export interface WriteTargetOptions extends CallOptions {
  /** Awaited before the bytes of a Secret that exists are changed: what is to be remembered of it has to be written down first. */
  readonly beforeChange: (content: NamedContent | undefined, existing: TargetSeen) => Promise<void>;
  /** May bytes that this content names be replaced? Asked before they are. */
  readonly mayReplace: (content: string) => boolean;
  /** The content that the target was last said to hold. */
  readonly claimed: string | undefined;
}

/**
 * Makes the target what it should be: created by POST, so that what exists is never taken, and later written with the uid and the resourceVersion that
 * the decision was made on.
 * @throws KubeError for what another try may heal, conflicts of versions among it.
 */
export async function writeTarget(
  client: KubeClient,
  desired: DesiredTarget,
  { mayReplace, claimed, beforeChange, ...options }: WriteTargetOptions,
): Promise<TargetOutcome> {
  const mayFollow = (content: string | undefined): boolean =>
    content === undefined || content === desired.content || mayReplace(content);
  const existing = await readSecret(client, desired, options);
  if (existing === undefined) return mayFollow(claimed) ? createTarget(client, desired, options) : { state: 'unsure' };
  const plan = planTarget(desired, existing);
  if (plan.action === 'conflict') return failed(plan.message);
  const seen = seenOf(desired, existing);
  if (plan.action === 'none') return { state: 'synced', seen, change: 'none' };
  const content = contentOf(desired, existing);
  if (plan.bytesChange && !mayFollow(content?.content)) return { state: 'unsure' };
  if (plan.bytesChange) await beforeChange(content, seen);
  try {
    const latest = plan.remove === undefined ? existing : await removeStale(client, desired, plan.remove, options);
    const body = pin(plan.apply, latest.metadata.resourceVersion);
    const force = desired.ownership !== 'Merge';
    const written = await client.apply(secrets, body, { ...options, fieldManager: desired.fieldManager, force });
    return {
      state: 'synced',
      seen: seenOf(desired, toExistingSecret(written)),
      change: plan.bytesChange ? 'bytes' : 'metadata',
    };
  } catch (error) {
    return refusalOf(error, desired);
  }
}

/**
 * The same for a target that is most likely missing: it is created without a look, and what turns out to exist is read then. Saves a call for each
 * reference of a cold start.
 * @throws KubeError as `writeTarget` does.
 */
export async function writeNewTarget(
  client: KubeClient,
  desired: DesiredTarget,
  options: WriteTargetOptions,
): Promise<TargetOutcome> {
  if (desired.ownership === 'Merge') return writeTarget(client, desired, options);
  try {
    return await createTarget(client, desired, { signal: options.signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return writeTarget(client, desired, options);
  }
}

async function createTarget(client: KubeClient, desired: DesiredTarget, options: CallOptions): Promise<TargetOutcome> {
  if (desired.ownership === 'Merge') {
    return failed(
      `Secret ${desired.name} does not exist: ownership Merge adds keys to a Secret that does; create it, or use Owner`,
    );
  }
  try {
    const created = await client.create(secrets, newTarget(desired), {
      ...options,
      fieldManager: desired.fieldManager,
    });
    return { state: 'synced', seen: seenOf(desired, toExistingSecret(created)), change: 'created' };
  } catch (error) {
    return refusalOf(error, desired);
  }
}

async function removeStale(
  client: KubeClient,
  desired: DesiredTarget,
  body: KubeBody,
  options: CallOptions,
): Promise<Pick<ExistingSecret, 'metadata'>> {
  const patched = await client.mergePatch(secrets, body, { ...options, fieldManager: desired.fieldManager });
  return toExistingSecret(patched);
}

/** Reads a target whole; undefined where it does not exist. */
export async function readSecret(
  client: KubeClient,
  target: { readonly namespace: string; readonly name: string },
  options: CallOptions,
): Promise<ExistingSecret | undefined> {
  const found = await findObject(client, secrets, { namespace: target.namespace, name: target.name }, options);
  return found === undefined ? undefined : toExistingSecret(found);
}

/** What a target says of itself. */
export function seenOf(desired: DesiredTarget, secret: ExistingSecret): TargetSeen {
  const { uid, resourceVersion, annotations } = secret.metadata;
  return {
    uid,
    resourceVersion,
    content: annotations[desired.contentNames.content],
    previous: annotations[desired.contentNames.previous],
    changedAt: lastWrittenBy(secret, desired.fieldManager),
  };
}

function pin(body: KubeBody, resourceVersion: string): KubeBody {
  return { ...body, metadata: { ...body.metadata, resourceVersion } };
}

function failed(message: string): TargetOutcome {
  return { state: 'failed', failure: definite('TargetConflict', message) };
}

/** What the API server refuses for good becomes the reference's condition; the rest is thrown on, to be tried again. */
function refusalOf(error: unknown, desired: DesiredTarget): TargetOutcome {
  if (isInvalid(error)) {
    const names = error.causes.map((cause) => cause.field).filter((field) => field !== '');
    const fields = names.length === 0 ? '' : ` (${names.join(', ')})`;
    const message = `the API server refuses the values as a Secret of type ${desired.type}${fields}: correct the value in the manager, or the type`;
    return { state: 'failed', failure: definite('InvalidValue', message) };
  }
  if (isForbidden(error)) {
    const message = `the operator may not write Secret ${desired.name} here: a policy, a quota or its role refuses it`;
    return { state: 'failed', failure: definite('TargetConflict', message) };
  }
  const managers = isConflict(error) ? error.causes.filter((cause) => cause.reason === 'FieldManagerConflict') : [];
  if (managers.length > 0) {
    const who = [...new Set(managers.map((cause) => cause.manager))].join(' and ');
    return failed(
      `Secret ${desired.name} has keys, labels or annotations of the same name from ${who}: give them another name here, or remove them there`,
    );
  }
  throw error;
}
