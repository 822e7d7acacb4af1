import { isDeepStrictEqual } from 'node:util';
import type { Consumer, Guard, Held } from '../../api/v1/rollout.ts';
import type { Applied } from '../rollout/applied.ts';
import type { FinishedRollout } from '../rollout/finished.ts';
import { fingerprint } from '../rollout/fingerprint.ts';
import { isRolledOut } from '../rollout/guard.ts';
import { type ConsumedTarget, nextConsumers, refreshedConsumers, takesPart } from '../rollout/consumers.ts';
import type { SecretContent } from '../rollout/ledger.ts';
import { markerName } from '../rollout/marker.ts';
import { type RolledOut, rolledOut } from '../rollout/rolled-out.ts';
import type { WorkloadPod } from '../rollout/pods.ts';
import type { Workload, Workloads } from '../rollout/workload.ts';
import { listOf, summaryOf } from './held-versions.ts';
import { mergedBy, type Reference, targetName } from './reference.ts';
import type { Findings, RolloutFindings } from './status.ts';

/** What a look at a reference needs to know of workloads. */
export interface RolloutScope {
  readonly workloads: Workloads;
  /** Why a workload that is due is not rolled out yet. */
  readonly waiting: (uid: string) => string | undefined;
  /** Why a workload can't be rolled out. */
  readonly refused?: (uid: string) => string | undefined;
  /** What this process itself marked. */
  readonly applied?: Pick<Applied, 'content'>;
  /** When more pods of a workload were last seen to be done (milliseconds since 1970). */
  readonly movedAt?: (uid: string) => number | undefined;
  /** Hears of rollouts that ended; `seconds` since the content changed, where that is known. */
  readonly observe: (finished: FinishedRollout, seconds: number | undefined) => void;
  readonly podsOf: (workload: Workload, signal: AbortSignal) => Promise<readonly WorkloadPod[]>;
  /** Deletes a pod that keeps its StatefulSet from going on; undefined where that is left to people. */
  readonly unstick: ((workload: Workload, pod: WorkloadPod, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The target of a reference as its consumers see it. */
export function consumedTarget(reference: Reference): ConsumedTarget {
  const { metadata, spec } = reference;
  const name = targetName(reference);
  const marker = markerName({ name, mergedBy: mergedBy(reference) });
  return { namespace: metadata.namespace, name, marker, rollout: spec.rollout };
}

/** What stands in the ledger before the Secret changes: what each consumer runs now. Undefined where the status says it already. */
export function ledgerBefore(
  scope: RolloutScope,
  reference: Reference,
  secret: SecretContent,
  guard: Guard | undefined,
): { readonly consumers: readonly Consumer[]; readonly guard?: Guard } | undefined {
  const { status } = reference;
  const before = status.consumers ?? [];
  const target = consumedTarget(reference);
  const options = { ...scope, before, secret, summary: listOf(status.versions ?? []) };
  const consumers = nextConsumers(target, options).map((consumer) =>
    guard === undefined ? consumer : guardedEntry(scope, target, consumer),
  );
  const known = new Map(before.map((consumer) => [consumer.uid, consumer.content]));
  const complete = consumers.every(({ uid, content }) => content === known.get(uid));
  // While another guarded rollout is under way, how healthy all was is what its guard says.
  const health = guard?.refusal ?? (status.guard === undefined ? whyUnhealthy(scope, target, consumers) : undefined);
  const wanted = guard === undefined || health === undefined ? guard : { ...guard, refusal: health };
  if (complete && isDeepStrictEqual(wanted, status.guard)) return undefined;
  return { consumers, ...(wanted === undefined ? {} : { guard: wanted }) };
}

/** What fails already does not fail because of the versions that come. What we are rolling out ourselves, as when it goes back, does not fail. */
function whyUnhealthy(scope: RolloutScope, target: ConsumedTarget, consumers: readonly Consumer[]): string | undefined {
  const unhealthy = consumers.filter(takesPart).find(({ kind, name, state }) => {
    const settled = state !== 'Progressing' && state !== 'Waiting';
    const workload = settled ? scope.workloads.get(kind, target.namespace, name) : undefined;
    return workload !== undefined && workload.progress.state !== 'Complete';
  });
  if (unhealthy === undefined) return undefined;
  return `${unhealthy.kind} ${unhealthy.name} was not complete before the versions changed`;
}

/** Remembers the pod template as it is before the rollout, where the rollout may be undone. */
function guardedEntry(scope: RolloutScope, target: ConsumedTarget, consumer: Consumer): Consumer {
  if (consumer.content === undefined || consumer.template !== undefined) return consumer;
  const workload = scope.workloads.get(consumer.kind, target.namespace, consumer.name);
  return workload === undefined ? consumer : { ...consumer, template: fingerprint(workload, target.marker) };
}

/** How far the consumers of a reference are, after a look at it. */
export function rolloutFindings(
  scope: RolloutScope,
  reference: Reference,
  outcome: Findings['outcome'],
  versions: { readonly guard: Guard | undefined; readonly held: Held | undefined },
  now: number,
): Omit<RolloutFindings, 'condition'> {
  const { status } = reference;
  const consumers = consumersNow(scope, reference, outcome, new Date(now).toISOString());
  // What can't be met changes nothing: what was prepared for a change stays prepared.
  if (outcome.state !== 'synced') return { consumers, guard: status.guard, held: versions.held ?? status.held };
  const { content } = outcome.target;
  // What was written down before the change says more than what is known now: how healthy all was then.
  const guard = [guardNow(status.guard, versions.guard), versions.guard].find((each) => each?.content === content);
  return { consumers, guard: isRolledOut(consumers) ? undefined : guard, held: versions.held };
}

/** The guard as it was written down, with a refusal that came since. */
function guardNow(before: Guard | undefined, now: Guard | undefined): Guard | undefined {
  if (before === undefined || before.refusal !== undefined || now?.refusal === undefined) return before;
  return now.content === before.content ? { ...before, refusal: now.refusal } : before;
}

/** The condition `RolledOut`; undefined while there is no target. */
export function conditionOf(
  reference: Reference,
  outcome: Findings['outcome'],
  consumers: readonly Consumer[],
  held: Held | undefined,
): RolledOut | undefined {
  const { target, versions = [] } = outcome.state === 'synced' ? outcome : reference.status;
  if (target === undefined || (outcome.state === 'failed' && outcome.released)) return undefined;
  return rolledOut(
    reference.metadata,
    target.name,
    summaryOf(versions),
    reference.spec.rollout,
    consumers,
    held,
    target.content,
  );
}

function consumersNow(
  scope: RolloutScope,
  reference: Reference,
  outcome: Findings['outcome'],
  now: string,
): readonly Consumer[] {
  const { status } = reference;
  const before = status.consumers ?? [];
  const target = consumedTarget(reference);
  if (outcome.state === 'synced') {
    const summary = listOf(outcome.versions);
    return nextConsumers(target, { ...scope, before, summary, now, secret: outcome.secret });
  }
  const content = status.target?.content;
  // What they run is remembered for when there is a target again.
  if (content === undefined || (outcome.state === 'failed' && outcome.released)) return before;
  // Nothing is known of the Secret but what the status says: nobody new is judged by it.
  const secret = { content, previous: '', agreed: true };
  return refreshedConsumers(target, { ...scope, before, summary: listOf(status.versions ?? []), now, secret }).map(
    (consumer) => withTemplate(consumer, before),
  );
}

/** The pod template from before a change that is prepared and could not be made yet. */
function withTemplate(consumer: Consumer, before: readonly Consumer[]): Consumer {
  const template = before.find(({ uid }) => uid === consumer.uid)?.template;
  return template === undefined ? consumer : { ...consumer, template };
}
