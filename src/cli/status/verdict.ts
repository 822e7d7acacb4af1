import { conditionOf } from '../../api/v1/conditions.ts';
import { presentReady, type ReferenceView, referenceLabel } from './reference.ts';

/** How a reference is, the worst first. */
export const verdicts = ['broken', 'stale', 'waiting', 'suspended', 'fine'] as const;
export type Verdict = (typeof verdicts)[number];

export interface ReferenceVerdict {
  readonly reference: string;
  readonly verdict: Verdict;
  /** One word for programs. */
  readonly reason: string;
  readonly message: string;
  readonly since?: string | undefined;
}

/** Says of one reference how it is, by what the operator last wrote of it. */
export function judgeReference(view: ReferenceView): ReferenceVerdict {
  const reference = referenceLabel(view);
  const ready = presentReady(view);
  if (ready === undefined) {
    const message = 'the operator has not looked at its present spec yet';
    return { reference, verdict: 'waiting', reason: 'NotSeen', message };
  }
  const verdictOf = (verdict: Verdict, { reason, message, lastTransitionTime }: typeof ready): ReferenceVerdict => ({
    reference,
    verdict,
    reason,
    message,
    since: lastTransitionTime,
  });
  if (ready.reason === 'Suspended' || view.spec.suspend) return verdictOf('suspended', ready);
  if (ready.status === 'False') return verdictOf('broken', ready);
  const rollout = conditionOf(view.status, 'RolledOut');
  if (rollout !== undefined && ['Failed', 'Reverted'].includes(rollout.reason)) return verdictOf('broken', rollout);
  const stale = conditionOf(view.status, 'Stale');
  if (stale?.status === 'True') return verdictOf('stale', stale);
  if (ready.status === 'Unknown') return verdictOf('waiting', ready);
  if (rollout !== undefined && ['Progressing', 'Waiting', 'Paused'].includes(rollout.reason)) {
    return verdictOf('waiting', rollout);
  }
  return verdictOf('fine', ready);
}

export type VerdictCounts = Readonly<Record<Verdict, number>>;

export function countVerdicts(all: readonly ReferenceVerdict[]): VerdictCounts {
  const count = (verdict: Verdict): number => all.filter((one) => one.verdict === verdict).length;
  return {
    broken: count('broken'),
    stale: count('stale'),
    waiting: count('waiting'),
    suspended: count('suspended'),
    fine: count('fine'),
  };
}

/** Those that need somebody, the worst first, of one kind the longest first. */
export function worstOf(all: readonly ReferenceVerdict[], most: number): readonly ReferenceVerdict[] {
  return all
    .filter(({ verdict }) => verdict !== 'fine' && verdict !== 'suspended')
    .toSorted(
      (a, b) =>
        verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) ||
        (a.since ?? '').localeCompare(b.since ?? '') ||
        a.reference.localeCompare(b.reference),
    )
    .slice(0, most);
}
