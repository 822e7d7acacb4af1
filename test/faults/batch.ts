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
  options: Pick<RunOptions, 'entry' | 'quiet' | 'patience'> & { readonly onVerdict?: (verdict: Verdict) => void },
): Promise<readonly Outcome[]> {
  const { onVerdict = () => undefined, ...run } = options;
  const waiting = plans.map((plan, index) => ({ plan, index }));
  const outcomes = new Map<number, Outcome>();
  const work = async (lane: string): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const verdict = await runFairly(next.plan, { ...run, rig, lane });
      onVerdict(verdict);
      const { history: _history, ...outcome } = verdict;
      outcomes.set(next.index, outcome);
    }
  };
  await Promise.all(rig.lanes.map(work));
  return plans.flatMap((_plan, index) => outcomes.get(index) ?? []);
}

/** Milliseconds. An operator whose calls take longer may miss what it should have done in time. */
const busy = 500;
const mostTries = 3;

/**
 * A machine that was too busy says nothing about how long an operator takes: where something came too late, and nothing else is wrong, the plan is run again. What
 * must never be is never forgiven.
 */
async function runFairly(plan: Plan, options: RunOptions): Promise<Verdict> {
  for (let tries = 1; ; tries += 1) {
    const started = options.rig.now();
    const verdict = await runTwiceIfNeedBe(plan, options);
    const late = verdict.violations.length > 0 && verdict.violations.every(({ law }) => law.startsWith('L'));
    const delay = options.rig.pacemaker.worstSince(started);
    if (!late || delay < busy || tries === mostTries) return { ...verdict, tries };
    logToStderr(`run again, since the machine was busy (${delay.toFixed(0)} ms): ${planName(plan)}`);
  }
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
