import { annotations } from '../../api/v1/names.ts';
import { secretReferences } from '../../api/v1/resources.ts';
import type { HeldVersion } from '../../api/v1/secret-reference.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Store } from '../../kube/store.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import type { Clock } from '../../runtime/clock.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { type Request, requestKey } from '../../runtime/request.ts';
import type { ManagerDirectory } from '../managers.ts';
import { ContentError } from './content/content-error.ts';
import { renderTemplate } from './content/template.ts';
import { checkValues, desiredTarget } from './desired-target.ts';
import { recordOutcome } from './reference-events.ts';
import { definite, type Failure } from './failure.ts';
import { heldVersions } from './held-versions.ts';
import { contentName } from './identity.ts';
import type { KnownContents } from './known-contents.ts';
import { createReader, type Reader } from './reader.ts';
import { type Reference, targetName, toReference } from './reference.ts';
import { releaseTarget } from './release.ts';
import type { ResolvedKey } from './resolution.ts';
import { resolveReference } from './resolve.ts';
import { findRival } from './rival.ts';
import { type Findings, nextStatus, sameStatus } from './status.ts';
import type { Subscriptions } from './subscriptions.ts';
import { type TargetOutcome, type TargetSeen, writeNewTarget, writeTarget, type WriteTargetOptions } from './target.ts';
import type { ReferenceView } from './view.ts';

export interface ReferenceScope {
  readonly client: KubeClient;
  readonly view: ReferenceView;
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
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Conflicts heal when somebody else lets go of a Secret, which no watch of ours tells. */
const CONFLICT_RETRY = 15_000;

/** The managers are being asked again, and call when they answer: this is for when they can't. */
const UNSURE_RETRY = 5_000;

/** One look at one reference: subscribe, resolve, render, write, report. Waits for no manager: a source calls again when it knows more. */
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
    return {};
  }
  const findings = await examine(scope, reference, subscriber, signal);
  if (findings === 'pending') return {};
  if (findings === 'unsure') return { requeueAfter: UNSURE_RETRY };
  await report(scope, reference, findings, signal);
  const conflict = findings.outcome.state === 'failed' && findings.outcome.failure.reason === 'TargetConflict';
  return conflict ? { requeueAfter: CONFLICT_RETRY } : {};
}

/** `pending` while there is nothing to say yet, `unsure` while only the managers can tell whether what the target holds is newer than what we know. */
async function examine(
  scope: ReferenceScope,
  reference: Reference,
  subscriber: string,
  signal: AbortSignal,
): Promise<Findings | 'pending' | 'unsure'> {
  if (reference.spec.suspend) {
    scope.subscriptions.drop(subscriber);
    return { outcome: { state: 'suspended' }, trouble: undefined, syncRequest: undefined };
  }
  const refusal = refusedPlace(scope, reference);
  if (refusal !== undefined) {
    scope.subscriptions.drop(subscriber);
    return failedFindings(refusal);
  }
  const reader = readerFor(scope, reference);
  const resolution = resolveReference(reference, reader);
  scope.subscriptions.set(subscriber, reader.wants);
  const sync = requestedSync(scope, reference, subscriber, reader);
  if (sync.state === 'pending' || resolution.state === 'pending') return 'pending';
  const common = { trouble: reader.trouble(), syncRequest: sync.request };
  if (resolution.state === 'failed') {
    const failure = truthful(scope, reference, resolution.failure);
    const released = await releaseTarget(scope.client, reference, failure, signal);
    return { ...common, outcome: { state: 'failed', failure, released } };
  }
  const forced = sync.request !== undefined;
  const { keys } = resolution;
  const outcome = await settle(scope, reference, keys, {
    forced,
    mayReplace: (content) => forced || isOutdated(scope, reference, keys, content),
    claimed: reference.status.target?.content,
    signal,
  });
  if (outcome === 'unsure') return outcome;
  if (outcome.state === 'synced') scope.contents.note(subscriber, outcome.target.content);
  return { ...common, outcome };
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
  const now = resolveReference(reference, reader);
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

function readerFor(scope: ReferenceScope, reference: Reference): Reader {
  const { namespace } = reference.metadata;
  const asker = { namespace, labels: scope.namespaceLabels(namespace), trustedLabels: scope.trustedLabels };
  const interval = reference.spec.refreshInterval;
  return createReader({
    directory: scope.managers,
    asker,
    refreshInterval: interval === undefined ? undefined : parseDuration(interval),
    familiarNames: () => namesUsedIn(scope.references, namespace),
  });
}

/** Secrets that references of a namespace hold already: it may see their names. */
function namesUsedIn(references: Store<Reference>, namespace: string): readonly string[] {
  const held = references.byIndex('namespace', namespace).flatMap(({ status }) => status.versions ?? []);
  return [...new Set(held.map((version) => version.secret))];
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

/** The annotation's new value, once everything was asked anew for it; `pending` until then. */
function requestedSync(
  scope: ReferenceScope,
  reference: Reference,
  subscriber: string,
  reader: Reader,
): { readonly state: 'pending' } | { readonly state: 'done'; readonly request: string | undefined } {
  const request = reference.metadata.annotations[annotations.sync];
  if (request === undefined || request === reference.status.lastSyncRequest)
    return { state: 'done', request: undefined };
  return refresh(scope, subscriber, request, reader) === 'done' ? { state: 'done', request } : { state: 'pending' };
}

/** Has everything asked anew that the reference wants, once per token. */
function refresh(scope: ReferenceScope, subscriber: string, token: string, reader: Reader): 'pending' | 'done' {
  const states = [...reader.wants.keys()].map((key) => {
    const manager = scope.managers.lookup(key);
    return manager.state === 'ready' ? manager.source.refresh(subscriber, token) : 'done';
  });
  return states.includes('pending') ? 'pending' : 'done';
}

async function settle(
  scope: ReferenceScope,
  reference: Reference,
  keys: readonly ResolvedKey[],
  { forced, ...options }: WriteTargetOptions & { readonly forced: boolean },
): Promise<Findings['outcome'] | 'unsure'> {
  const values = shownValues(reference, keys);
  if ('failure' in values) return failedFindings(values.failure).outcome;
  const failure = checkValues(reference.spec.target.type, values.shown);
  if (failure !== undefined) return failedFindings(failure).outcome;
  const now = new Date(scope.clock.now()).toISOString();
  const versions = heldVersions(keys, reference.status.versions ?? [], now);
  const inputs = contentName(reference.spec, keys);
  const untouched = forced ? undefined : untouchedTarget(scope, reference, inputs);
  const write = isNew(scope, reference) ? writeNewTarget : writeTarget;
  const outcome: TargetOutcome =
    untouched === undefined
      ? await write(scope.client, desiredTarget(reference, values.shown, versions, inputs), options)
      : { state: 'synced', seen: untouched, change: 'none' };
  if (outcome.state === 'unsure') return 'unsure';
  if (outcome.state === 'failed') return { ...outcome, released: false };
  return syncedOutcome(reference, versions, inputs, outcome);
}

/** Nothing was ever said of it, and no Secret of ours has the target's name. */
function isNew(scope: ReferenceScope, reference: Reference): boolean {
  const target = scope.targets.get(reference.metadata.namespace, targetName(reference));
  return reference.status.observedGeneration === undefined && target === undefined;
}

function syncedOutcome(
  reference: Reference,
  versions: readonly HeldVersion[],
  inputs: string,
  { seen, change }: Extract<TargetOutcome, { state: 'synced' }>,
): Extract<Findings['outcome'], { state: 'synced' }> {
  const { ownership } = reference.spec.target;
  const target = {
    name: targetName(reference),
    uid: seen.uid,
    resourceVersion: seen.resourceVersion,
    ownership,
    inputs,
    ...(seen.content === undefined ? {} : { content: seen.content }),
  };
  return { state: 'synced', versions, target, changed: change === 'created' || change === 'bytes' };
}

/** The keys as the Secret shows them: through the template where there is one. */
function shownValues(
  reference: Reference,
  keys: readonly ResolvedKey[],
): { readonly shown: ReadonlyMap<string, SecretValue> } | { readonly failure: Failure } {
  const values = new Map(keys.map((item) => [item.key, item.value]));
  const template = reference.spec.template?.data;
  if (template === undefined) return { shown: values };
  const named = keys.filter((item) => item.listable).map((item) => item.key);
  // Keys of the spec count even where an optional one has no value: the filter `default` can speak for it.
  const listable = new Set([...Object.keys(reference.spec.data ?? {}), ...named]);
  try {
    return { shown: renderTemplate(template, values, listable) };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    return { failure: definite(error.reason, error.message) };
  }
}

/** The target as our status last saw it, where nothing says that it moved since: then nobody needs to read it. */
function untouchedTarget(scope: ReferenceScope, reference: Reference, inputs: string): TargetSeen | undefined {
  const { metadata, status, spec } = reference;
  const seen = status.target;
  const now = scope.targets.get(metadata.namespace, targetName(reference))?.metadata;
  if (seen === undefined || now === undefined) return undefined;
  const same =
    seen.uid === now.uid &&
    seen.resourceVersion === now.resourceVersion &&
    seen.inputs === inputs &&
    seen.ownership === spec.target.ownership &&
    status.observedGeneration === metadata.generation;
  return same ? seen : undefined;
}

function failedFindings(failure: Failure): Findings {
  return { outcome: { state: 'failed', failure, released: false }, trouble: undefined, syncRequest: undefined };
}

/** Writes the status where it changed, pinned to what it was decided on, and tells people what happened. */
async function report(
  scope: ReferenceScope,
  reference: Reference,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const status = nextStatus(reference, findings, new Date(scope.clock.now()).toISOString());
  if (sameStatus(reference.status, status)) return;
  const { name, namespace, uid, resourceVersion } = reference.metadata;
  const body = { metadata: { name, namespace, uid, resourceVersion }, status };
  const options = { signal, fieldManager: 'keyferry', force: true, subresource: 'status' } as const;
  const written = await scope.client.apply(secretReferences, body, options);
  scope.view.wrote(toReference(written));
  recordOutcome(scope.events, reference, status, findings);
}
