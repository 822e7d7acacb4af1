import { annotations } from '../../api/v1/names.ts';
import type { Consumer, Guard, Held } from '../../api/v1/rollout.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { fingerprint } from '../rollout/fingerprint.ts';
import { decideRevert, presentSet } from '../rollout/guard.ts';
import { judgeOverdue } from '../rollout/overdue.ts';
import type { Examined, ReferenceScope } from './reconcile.ts';
import type { Reference } from './reference.ts';
import { conditionOf, consumedTarget, type RolloutScope, rolloutFindings } from './rollout-findings.ts';
import type { RolloutFindings } from './status.ts';

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
  const deadline = parseDuration(reference.spec.rollout.progressDeadline);
  const { consumers, nextDeadline } = judgeOverdue(found.consumers, clock.now(), deadline);
  const judged = await judgeGuarded(rollouts, reference, consumers, found.guard, signal);
  const now = new Date(clock.now()).toISOString();
  // What failed is what the status says that the target holds: not while that is still to be written.
  const settled = found.guard?.content === reference.status.target?.content;
  const held = judged.revert && settled ? holdBack(reference, found.guard, now) : undefined;
  if (held === undefined) {
    const condition = conditionOf(reference, outcome, judged.consumers, found.held);
    return {
      rollout: { ...found, consumers: judged.consumers, condition },
      requeueAfter: judged.revert ? 1 : nextDeadline,
    };
  }
  const condition = conditionOf(reference, outcome, judged.consumers, held);
  // Written down first: the look that follows goes back.
  return { rollout: { consumers: judged.consumers, condition, guard: undefined, held }, requeueAfter: 1 };
}

/** Of a guarded content, why each failed consumer failed, and whether that is answered by going back. */
async function judgeGuarded(
  scope: RolloutScope,
  reference: Reference,
  consumers: readonly Consumer[],
  guard: Guard | undefined,
  signal: AbortSignal,
): Promise<{ readonly consumers: readonly Consumer[]; readonly revert: boolean }> {
  if (guard === undefined) return { consumers, revert: false };
  const target = consumedTarget(reference);
  let revert = false;
  const judged: Consumer[] = [];
  for (const consumer of consumers) {
    const workload = scope.workloads.get(consumer.kind, target.namespace, consumer.name);
    if (consumer.state !== 'Failed' || workload === undefined) {
      judged.push(consumer);
      continue;
    }
    const verdict = await scope.verdict(workload, { name: target.marker, content: guard.content }, signal);
    const decision = decideRevert(guard, consumer, fingerprint(workload, target.marker), verdict);
    revert ||= decision.action === 'revert';
    judged.push(decision.action === 'report' ? { ...consumer, message: decision.message } : consumer);
  }
  return { consumers: judged, revert };
}

/** Remembers that the versions that the target holds failed, and where to go back to. */
function holdBack(reference: Reference, guard: Guard | undefined, now: string): Held | undefined {
  const bad = presentSet(reference.status);
  const retry = reference.metadata.annotations[annotations.retry];
  if (bad === undefined || guard === undefined) return undefined;
  return { bad, good: guard.good, since: now, ...(retry === undefined ? {} : { retry }) };
}
