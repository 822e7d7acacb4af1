import { secretReferences } from '../../api/v1/resources.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Store } from '../../kube/store.ts';
import { suspensionOf } from '../../api/v1/suspension.ts';
import type { Clock } from '../../runtime/clock.ts';
import { safeMessage } from '../../runtime/errors.ts';
import { type Request, requestKey } from '../../runtime/request.ts';
import type { ManagerDirectory } from '../managers.ts';
import { finishedRollouts } from '../rollout/finished.ts';
import { soonest } from '../soonest.ts';
import { readerFor, refresh, requestedSync } from './asking.ts';
import { type Choice, chooseVersions } from './choose-versions.ts';
import type { EmbeddedAudit } from './embedded-audit.ts';
import { recordOutcome } from './reference-events.ts';
import { definite, type Failure } from './failure.ts';
import { contentName } from './identity.ts';
import type { KnownContents } from './known-contents.ts';
import { type Reference, targetName, toReference } from './reference.ts';
import { releaseTarget } from './release.ts';
import type { ResolvedKey } from './resolution.ts';
import { findRival } from './rival.ts';
import { followRollout } from './follow-rollout.ts';
import { ledgerBefore, type RolloutScope } from './rollout-findings.ts';
import { secretContent, settle } from './settle.ts';
import { type Findings, nextStatus, sameStatus } from './status.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { ObjectView } from '../object-view.ts';

export interface ReferenceScope {
  readonly client: KubeClient;
  readonly view: ObjectView<Reference>;
  readonly contents: KnownContents;
  readonly references: Store<Reference>;
  /** Metadata of the Secrets that carry our label. */
  readonly targets: Store<KubeObject>;
  readonly managers: ManagerDirectory;
  readonly subscriptions: Subscriptions;
  /** Labels of a namespace, for the selectors of access rules; undefined where they are not known. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  readonly trustedLabels: ReadonlySet<string>;
  /** Where no target may be: the system's namespaces and the operator's own. */
  readonly closedNamespaces: ReadonlySet<string>;
  /** Undefined where workloads are not rolled out at all. */
  readonly rollouts: RolloutScope | undefined;
  readonly events: EventRecorder;
  /** Undefined where no secrets are kept in the cluster. */
  readonly audit: EmbeddedAudit | undefined;
  readonly clock: Clock;
}

/** Conflicts heal when somebody else lets go of a Secret, which no watch of ours tells. */
const CONFLICT_RETRY = 15_000;

/** A timer can't be set for longer than some weeks. */
const LONGEST_WAIT = 3_600_000;

/** The managers are being asked again, and call when they answer: this is for when they can't. */
const UNSURE_RETRY = 5_000;

/** One look at one reference. */
interface Look {
  readonly subscriber: string;
  readonly signal: AbortSignal;
  /** As it was last written: the ledger of its consumers is, before its Secret. */
  reference: Reference;
}

export type Examined = { readonly findings: Findings; readonly choice: Choice | undefined };

/** Subscribe, resolve, render, write, report. Waits for no manager: a source calls again when it knows more. */
export async function reconcileReference(
  scope: ReferenceScope,
  request: Request,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const reference = scope.view.get(request);
  const subscriber = requestKey(request);
  if (reference === undefined || reference.metadata.deletionTimestamp !== undefined) {
    scope.subscriptions.drop(subscriber);
    scope.view.forget(request);
    scope.contents.forget(subscriber);
    scope.audit?.forget(subscriber);
    return {};
  }
  const look: Look = { reference, subscriber, signal };
  const examined = await examine(scope, look);
  if (examined === 'pending') return {};
  if (examined === 'unsure') return { requeueAfter: UNSURE_RETRY };
  const { rollout, requeueAfter } = await followRollout(scope, look.reference, examined, signal);
  const findings = { ...examined.findings, rollout };
  await report(scope, look, findings);
  const { outcome } = findings;
  const conflict = outcome.state === 'failed' && outcome.failure.reason === 'TargetConflict';
  const wait = soonest([conflict ? CONFLICT_RETRY : undefined, untilResumed(scope, outcome), requeueAfter]);
  return wait === undefined ? {} : { requeueAfter: wait };
}

/** Milliseconds until it goes on by itself, or until the next look whether it does. */
function untilResumed({ clock }: ReferenceScope, outcome: Findings['outcome']): number | undefined {
  const until = outcome.state === 'suspended' ? outcome.suspension.until : undefined;
  return until === undefined ? undefined : Math.min(LONGEST_WAIT, Math.max(1, until - clock.now()));
}

/** `pending` while there is nothing to say yet, `unsure` while only the managers can tell whether what the target holds is newer than what we know. */
async function examine(scope: ReferenceScope, look: Look): Promise<Examined | 'pending' | 'unsure'> {
  const { reference, subscriber, signal } = look;
  const suspension = suspensionOf(reference, scope.clock.now());
  if (suspension !== undefined) {
    scope.subscriptions.drop(subscriber);
    const findings = {
      outcome: { state: 'suspended', suspension },
      trouble: undefined,
      syncRequest: undefined,
    } as const;
    return { findings, choice: undefined };
  }
  const refusal = refusedPlace(scope, reference);
  if (refusal !== undefined) {
    scope.subscriptions.drop(subscriber);
    const outcome = { state: 'failed', failure: refusal, released: false } as const;
    return { findings: { outcome, trouble: undefined, syncRequest: undefined }, choice: undefined };
  }
  const reader = readerFor(scope, reference);
  const choice = chooseVersions(reference, reader);
  const { resolution } = choice;
  scope.subscriptions.set(subscriber, reader.wants);
  const sync = requestedSync(scope, reference, subscriber, reader);
  if (sync.state === 'pending' || resolution.state === 'pending') return 'pending';
  const common = { trouble: reader.trouble(), syncRequest: sync.request };
  if (resolution.state === 'failed') {
    const failure = truthful(scope, reference, resolution.failure);
    const released = await releaseTarget(scope.client, reference, failure, signal);
    return { findings: { ...common, outcome: { state: 'failed', failure, released } }, choice };
  }
  const outcome = await settleLook(scope, look, choice, resolution.keys, sync.request !== undefined);
  if (outcome === 'unsure') return outcome;
  if (outcome.state === 'synced') scope.contents.note(subscriber, outcome.target.content);
  return { findings: { ...common, outcome }, choice };
}

async function settleLook(
  scope: ReferenceScope,
  look: Look,
  { held, guard }: Choice,
  keys: readonly ResolvedKey[],
  forced: boolean,
): Promise<Findings['outcome'] | 'unsure'> {
  const { reference, signal } = look;
  await scope.audit?.opened(reference, keys);
  const outcome = await settle(scope, reference, keys, {
    forced,
    content:
      held !== undefined && contentName(reference.spec, keys) === held.good.inputs ? held.good.content : undefined,
    mayReplace: (content) => forced || isOutdated(scope, reference, keys, content),
    claimed: reference.status.target?.content,
    beforeChange: async (content, seen) => {
      if (content !== undefined) await checkLook(scope, look, content.content);
      if (scope.rollouts === undefined) return;
      const secret = secretContent(reference.status, { ...seen, ...content, content: content?.content });
      const ledger = ledgerBefore(scope.rollouts, reference, secret, guard);
      if (ledger === undefined) return;
      const { guard: _, ...status } = reference.status;
      look.reference = await writeStatus(
        scope,
        reference,
        { ...status, ...ledger, consumers: [...ledger.consumers] },
        signal,
      );
    },
    signal,
  });
  if (outcome !== 'unsure' && outcome.state === 'synced') await scope.audit?.synced(reference, keys, outcome.changed);
  return outcome;
}

/** What somebody else wrote gives way only to a decision on the reference as it is: it may hold versions back by now. */
async function checkLook({ client, contents }: ReferenceScope, look: Look, content: string): Promise<void> {
  if (contents.isKnown(look.subscriber, content)) return;
  const { name, namespace, resourceVersion } = look.reference.metadata;
  const options = { signal: look.signal, metadataOnly: true };
  const { metadata } = await client.get(secretReferences, { namespace, name }, options);
  if (metadata.resourceVersion !== resourceVersion) throw new StaleLookError();
}

/** Tried again once the cache knows the reference as it is. */
class StaleLookError extends Error {
  override readonly name = 'StaleLookError';
  readonly [safeMessage] = true;
  override readonly message = 'the reference changed while it was looked at';
}

/** Whether what the target holds gives way to `keys`: it is our own, or the managers said so after it was seen. */
function isOutdated(
  scope: ReferenceScope,
  reference: Reference,
  keys: readonly ResolvedKey[],
  content: string,
): boolean {
  const subscriber = requestKey(reference.metadata);
  if (scope.contents.isKnown(subscriber, content)) return true;
  const reader = readerFor(scope, reference);
  const now = chooseVersions(reference, reader).resolution;
  if (reader.trouble() !== undefined) return false;
  if (refresh(scope, subscriber, `content ${content}`, reader) === 'pending') return false;
  // The answers may have come while the target was read: then this look is over, and the next one knows them.
  return now.state === 'resolved' && contentName(reference.spec, now.keys) === contentName(reference.spec, keys);
}

/** A manager that can't be asked takes nothing back, unless the Secret is gone: then there is nothing left to be true. */
function truthful(scope: ReferenceScope, reference: Reference, failure: Failure): Failure {
  const seen = reference.status.target;
  const name = targetName(reference);
  const now = scope.targets.get(reference.metadata.namespace, name);
  if (!failure.transient || seen === undefined || now?.metadata.uid === seen.uid) return failure;
  return { ...failure, transient: false, message: `Secret ${name} is gone and can't be made anew: ${failure.message}` };
}

/** Places where a target may not be, whatever the managers say. */
function refusedPlace(scope: ReferenceScope, reference: Reference): Failure | undefined {
  const { namespace } = reference.metadata;
  if (scope.closedNamespaces.has(namespace)) {
    const message = `namespace ${namespace} belongs to the system or to Keyferry itself: no Secret is written there`;
    return definite('TargetConflict', message);
  }
  const rival = findRival(reference, scope.references);
  if (rival === undefined) return undefined;
  const message = `Secret ${targetName(reference)} is the target of SecretReference ${rival.metadata.name}, which is older: choose another target.name, or delete one of the two`;
  return definite('TargetConflict', message);
}

/** Writes the status where it changed, and tells people what happened. */
async function report(scope: ReferenceScope, { reference, signal }: Look, findings: Findings): Promise<void> {
  const status = nextStatus(reference, findings, new Date(scope.clock.now()).toISOString());
  if (sameStatus(reference.status, status)) return;
  await writeStatus(scope, reference, status, signal);
  recordOutcome(scope.events, reference, status, findings);
  observeRollouts(scope, reference.status, status);
}

function observeRollouts(
  { rollouts, clock }: ReferenceScope,
  before: SecretReferenceStatus,
  after: SecretReferenceStatus,
): void {
  const reverted = after.held !== undefined && before.held === undefined;
  const changed = after.lastChangeTime;
  const seconds = changed === undefined ? undefined : (clock.now() - Date.parse(changed)) / 1_000;
  for (const finished of finishedRollouts(before.consumers ?? [], after.consumers ?? [], reverted)) {
    rollouts?.observe(finished, seconds);
  }
}

/** Pinned to what it was decided on. */
async function writeStatus(
  scope: ReferenceScope,
  reference: Reference,
  status: SecretReferenceStatus,
  signal: AbortSignal,
): Promise<Reference> {
  const { name, namespace, uid, resourceVersion } = reference.metadata;
  const body = { metadata: { name, namespace, uid, resourceVersion }, status };
  const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
  const written = toReference(await scope.client.apply(secretReferences, body, options));
  scope.view.wrote(written);
  return written;
}
