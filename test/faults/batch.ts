import { logToStderr } from '../cluster/progress.ts';
import { type Plan, planName } from './plan.ts';
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
      const verdict = await runTwiceIfNeedBe(next.plan, { ...run, rig, lane });
      onVerdict(verdict);
      const { history: _history, ...outcome } = verdict;
      outcomes.set(next.index, outcome);
    }
  };
  await Promise.all(rig.lanes.map(work));
  return plans.flatMap((_plan, index) => outcomes.get(index) ?? []);
}

/** What breaks the run itself (a machine that is too busy) says nothing of the operator: it has a second chance, and no third. */
async function runTwiceIfNeedBe(plan: Plan, options: RunOptions): Promise<Verdict> {
  try {
    return await runPlan(plan, options);
  } catch (error) {
    logToStderr(`a run broke and is run again: ${planName(plan)}: ${String(error)}`);
    return runPlan(plan, options);
  }
}
