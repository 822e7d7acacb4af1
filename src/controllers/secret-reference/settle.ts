import type { HeldVersion, SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Store } from '../../kube/store.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import type { SecretContent } from '../rollout/ledger.ts';
import { ContentError } from './content/content-error.ts';
import { renderTemplate } from './content/template.ts';
import { checkValues, desiredTarget } from './desired-target.ts';
import { definite, type Failure } from './failure.ts';
import { heldVersions } from './held-versions.ts';
import { contentName } from './identity.ts';
import type { ReferenceScope } from './reconcile.ts';
import { type Reference, targetName } from './reference.ts';
import type { ResolvedKey } from './resolution.ts';
import type { Findings } from './status.ts';
import { type TargetOutcome, type TargetSeen, writeNewTarget, writeTarget, type WriteTargetOptions } from './target.ts';

export interface SettleOptions extends WriteTargetOptions {
  /** Somebody asked for a sync: the target is read even where nothing says that it moved. */
  readonly forced: boolean;
  /** What the content is to be called, where that is not told by its inputs: a set of versions that the Secret had before keeps its name. */
  readonly content: string | undefined;
}

/** Makes the target show these keys. */
export async function settle(
  scope: ReferenceScope,
  reference: Reference,
  keys: readonly ResolvedKey[],
  { forced, content, ...options }: SettleOptions,
): Promise<Findings['outcome'] | 'unsure'> {
  const now = new Date(scope.clock.now()).toISOString();
  const versions = heldVersions(keys, reference.status.versions ?? [], now);
  const inputs = contentName(reference.spec, keys);
  const untouched = forced ? undefined : untouchedTarget(scope, reference, inputs);
  if (untouched !== undefined) {
    return syncedOutcome(reference, versions, inputs, { state: 'synced', seen: untouched, change: 'none' });
  }
  const values = shownValues(reference, keys);
  if ('failure' in values) return refused(values.failure);
  const failure = checkValues(reference.spec.target.type, values.shown);
  if (failure !== undefined) return refused(failure);
  const write = isNew(scope, reference) ? writeNewTarget : writeTarget;
  const desired = desiredTarget(reference, values.shown, versions, { inputs, content: content ?? inputs });
  const outcome: TargetOutcome = await write(scope.client, desired, options);
  if (outcome.state === 'unsure') return 'unsure';
  if (outcome.state === 'failed') return { ...outcome, released: false };
  return syncedOutcome(reference, versions, inputs, outcome);
}

function refused(failure: Failure): Findings['outcome'] {
  return { state: 'failed', failure, released: false };
}

/** Nothing was ever said of it, and no Secret of ours has the target's name. */
function isNew(scope: ReferenceScope, reference: Reference): boolean {
  const target = scope.targets.get(reference.metadata.namespace, targetName(reference));
  return reference.status.observedGeneration === undefined && target === undefined;
}

/** What a look found that ended with this target. */
export function syncedOutcome(
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
  const secret = secretContent(reference.status, seen);
  return { state: 'synced', versions, target, secret, changed: change === 'created' || change === 'bytes' };
}

/** What the Secret says of its content, beside what the status says of it. */
export function secretContent(
  { target }: SecretReferenceStatus,
  seen: Omit<TargetSeen, 'resourceVersion'>,
): SecretContent {
  const { content, previous = '', changedAt, uid } = seen;
  const agreed = content !== undefined && target?.content === content && target.uid === uid;
  return { content, previous, changedAt, agreed };
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
export function untouchedTarget(
  scope: { readonly targets: Pick<Store<KubeObject>, 'get'> },
  reference: Reference,
  inputs: string,
): TargetSeen | undefined {
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
