import { annotations } from '../../api/v1/names.ts';
import type { Consumer, Guard, Held } from '../../api/v1/rollout.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { fingerprint } from '../rollout/fingerprint.ts';
import { decideRevert, presentSet } from '../rollout/guard.ts';
import { judgeOverdue } from '../rollout/overdue.ts';
import { verdictOfPods } from '../rollout/pods.ts';
import type { Examined, ReferenceScope } from './reconcile.ts';
import type { Reference } from './reference.ts';
import { conditionOf, consumedTarget, type RolloutScope, rolloutFindings } from './rollout-findings.ts';
import type { RolloutFindings } from './status.ts';
import { judgeStuck } from './stuck.ts';

export interface Followed {
  /** Undefined where workloads are not rolled out at all. */
  readonly rollout: RolloutFindings | undefined;
  /** Milliseconds until something is to be looked at again. */
  readonly requeueAfter: number | undefined;
}

/** How far the consumers are; where a guarded rollout of this content failed, also the versions to go back to. */
export async function followRollout(
  scope: Pick<ReferenceScope, 'rollouts' | 'clock'>,
  reference: Reference,
  { findings: { outcome }, choice }: Examined,
  signal: AbortSignal,
): Promise<Followed> {
  const { rollouts, clock } = scope;
  if (rollouts === undefined) return { rollout: undefined, requeueAfter: undefined };
  const found = rolloutFindings(rollouts, reference, outcome, { guard: choice?.guard, held: choice?.held });
  const now = clock.now();
  const deadline = parseDuration(reference.spec.rollout.progressDeadline);
  const overdue = judgeOverdue(found.consumers, now, deadline);
  const stuck = await judgeStuck(rollouts, reference, overdue.consumers, now, signal);
  const judged = await judgeGuarded(rollouts, reference, stuck.consumers, found.guard, { now, deadline }, signal);
  // What failed is what the status says that the target holds: not while that is still to be written.
  const settled = found.guard?.content === reference.status.target?.content;
  const held = settled ? holdBack(reference, found.guard, judged.failed, now) : undefined;
  const { consumers } = judged;
  const condition = conditionOf(reference, outcome, consumers, held ?? found.held);
  // Written down first: the look that follows goes back.
  if (held !== undefined) return { rollout: { consumers, condition, guard: undefined, held }, requeueAfter: 1 };
  const again = [judged.failed === undefined ? undefined : 1, judged.lookAgain, overdue.nextDeadline, stuck.lookAgain];
  const waits = again.filter((wait) => wait !== undefined);
  return {
    rollout: { ...found, consumers, condition },
    requeueAfter: waits.length === 0 ? undefined : Math.min(...waits),
  };
}

interface Judged {
  readonly consumers: readonly Consumer[];
  /** What failed, where that is answered by going back. */
  readonly failed: string | undefined;
  /** Milliseconds until pods that run now have had their time. */
  readonly lookAgain: number | undefined;
}

/** Of a guarded content, why each failed consumer failed, and whether that is answered by going back. */
async function judgeGuarded(
  scope: RolloutScope,
  reference: Reference,
  consumers: readonly Consumer[],
  guard: Guard | undefined,
  { now, deadline }: { readonly now: number; readonly deadline: number },
  signal: AbortSignal,
): Promise<Judged> {
  if (guard === undefined) return { consumers, failed: undefined, lookAgain: undefined };
  const target = consumedTarget(reference);
  let failed: string | undefined;
  let young = false;
  const judged: Consumer[] = [];
  for (const consumer of consumers) {
    const workload = scope.workloads.get(consumer.kind, target.namespace, consumer.name);
    if (consumer.state !== 'Failed' || workload === undefined) {
      judged.push(consumer);
      continue;
    }
    const pods = await scope.podsOf(workload, signal);
    const verdict = verdictOfPods(pods, target.marker, guard.content, { now, patience: deadline / 2 });
    const { action, message } = decideRevert(guard, consumer, fingerprint(workload, target.marker), verdict);
    if (action === 'revert') failed ??= `${consumer.kind} ${consumer.name}: ${message}`;
    young ||= verdict.young;
    judged.push({ ...consumer, message });
  }
  return { consumers: judged, failed, lookAgain: young ? deadline / 2 : undefined };
}

/** Remembers that the versions that the target holds failed, and where to go back to. */
function holdBack(
  reference: Reference,
  guard: Guard | undefined,
  failed: string | undefined,
  now: number,
): Held | undefined {
  const bad = presentSet(reference.status);
  if (bad === undefined || guard === undefined || failed === undefined) return undefined;
  const retry = reference.metadata.annotations[annotations.retry];
  const since = new Date(now).toISOString();
  return { bad, good: guard.good, since, why: failed, ...(retry === undefined ? {} : { retry }) };
}
