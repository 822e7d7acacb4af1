import type { Plan } from './plan.ts';
import type { Rig } from './rig.ts';
import { type RunOptions, runPlan, type Verdict } from './run-plan.ts';

/** What is kept of a run that went well: its history is large. */
export type Outcome = Omit<Verdict, 'history'>;

/** Runs plans, one in each lane at a time, in their order. */
export async function runPlans(
  rig: Rig,
  plans: readonly Plan[],
  options: Pick<RunOptions, 'entry' | 'quiet'> & { readonly onVerdict?: (verdict: Verdict) => void },
): Promise<readonly Outcome[]> {
  const { onVerdict = () => undefined, ...run } = options;
  const waiting = plans.map((plan, index) => ({ plan, index }));
  const outcomes = new Map<number, Outcome>();
  const work = async (lane: string): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const verdict = await runPlan(next.plan, { ...run, rig, lane });
      onVerdict(verdict);
      const { history: _history, ...outcome } = verdict;
      outcomes.set(next.index, outcome);
    }
  };
  await Promise.all(rig.lanes.map(work));
  return plans.flatMap((_plan, index) => outcomes.get(index) ?? []);
}
