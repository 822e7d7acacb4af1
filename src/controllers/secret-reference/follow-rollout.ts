import { annotations } from '../../api/v1/names.ts';
import type { Consumer, Guard, Held } from '../../api/v1/rollout.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { fingerprint } from '../rollout/fingerprint.ts';
import { decideRevert, presentSet } from '../rollout/guard.ts';
import { judgeOverdue } from '../rollout/overdue.ts';
import { verdictOfPods } from '../rollout/pods.ts';
import { soonest } from '../soonest.ts';
import { createPodLooks, type PodLooks } from './pod-looks.ts';
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
  // What is held back stays so, whether or not workloads are looked at.
  if (rollouts === undefined) return { rollout: heldOnly(choice?.held), requeueAfter: undefined };
  const now = clock.now();
  const versions = { guard: choice?.guard, held: choice?.held };
  const found = rolloutFindings(rollouts, reference, outcome, versions, now);
  const deadline = parseDuration(reference.spec.rollout.progressDeadline);
  const overdue = judgeOverdue(found.consumers, now, deadline, (uid) => rollouts.movedAt?.(uid));
  const looks = createPodLooks(rollouts, now, signal);
  // A reference that is suspended, or that can't be met, reports: it does nothing.
  const acts = outcome.state === 'synced';
  const guard = acts ? found.guard : undefined;
  const judged = await judgeGuarded(rollouts, reference, overdue.consumers, guard, { looks, deadline });
  // What failed is what the status says that the target holds: not while that is still to be written.
  const settled = guard?.content === reference.status.target?.content;
  const held = settled ? holdBack(reference, guard, judged.failed, now) : undefined;
  // Written down first: the look that follows goes back.
  if (held !== undefined) return followed({ ...found, consumers: judged.consumers, guard: undefined, held }, [1]);
  const stuck = acts
    ? await judgeStuck(rollouts, reference, judged.consumers, looks)
    : { ...judged, lookAgain: undefined };
  const again = judged.failed === undefined ? undefined : 1;
  const waits = [again, judged.lookAgain, overdue.nextDeadline, stuck.lookAgain];
  return followed({ ...found, consumers: stuck.consumers }, waits);

  function followed(rollout: Omit<RolloutFindings, 'condition'>, all: readonly (number | undefined)[]): Followed {
    const condition = conditionOf(reference, outcome, rollout.consumers, rollout.held);
    return { rollout: { ...rollout, condition }, requeueAfter: soonest(all) };
  }
}

function heldOnly(held: Held | undefined): RolloutFindings | undefined {
  return held === undefined ? undefined : { consumers: [], condition: undefined, guard: undefined, held };
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
  { looks, deadline }: { readonly looks: PodLooks; readonly deadline: number },
): Promise<Judged> {
  if (guard === undefined) return { consumers, failed: undefined, lookAgain: undefined };
  const target = consumedTarget(reference);
  const told = new Map((reference.status.consumers ?? []).map((consumer) => [consumer.uid, consumer]));
  let failed: string | undefined;
  let young = false;
  const judged: Consumer[] = [];
  for (const consumer of consumers) {
    const workload = scope.workloads.get(consumer.kind, target.namespace, consumer.name);
    // One reason to go back is enough.
    const judgeable = consumer.state === 'Failed' && consumer.content === guard.content && failed === undefined;
    if (!judgeable || workload === undefined) {
      judged.push(consumer);
      continue;
    }
    const pods = await looks.podsOf(workload);
    const time = { now: looks.now, patience: deadline / 2 };
    const verdict = verdictOfPods(pods, target.marker, guard.content, time);
    const { action, message } = decideRevert(guard, consumer, workload, fingerprint(workload, target.marker), verdict);
    if (action === 'revert') failed = `${consumer.kind} ${consumer.name}: ${message}`;
    young ||= verdict.young;
    judged.push({ ...consumer, message: steady(told.get(consumer.uid), consumer, message) });
  }
  return { consumers: judged, failed, lookAgain: young ? deadline / 4 : undefined };
}

/** Pods crash for other reasons from one moment to the next: what was said first stays, unless there is more to say. */
function steady(before: Consumer | undefined, now: Consumer, message: string): string {
  const old = before?.state === 'Failed' && before.content === now.content ? before.message : undefined;
  return old !== undefined && old !== now.message && isDecided(old) === isDecided(message) ? old : message;
}

function isDecided(message: string): boolean {
  return message.includes('Not reverted');
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
