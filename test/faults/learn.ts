import { type Outcome, runPlans } from './batch.ts';
import type { Lesson } from './generate.ts';
import type { Crew, Plan } from './plan.ts';
import type { Rig } from './rig.ts';
import type { Verdict } from './run-plan.ts';
import { scenarios } from './scenarios/scenarios.ts';

/** Scenarios that are played by two operators too. */
const forTwo = [
  'rotation',
  'two-rotations',
  'recreated',
  'conflict',
  'rules-withdrawn',
  'consumers',
  'several-targets',
  'embedded',
  'embedded-changes',
];

function lessonPlans(): readonly Plan[] {
  const plan = (scenario: string, crew: Crew): Plan => ({ scenario, crew, faults: [] });
  const pairs = forTwo.flatMap((scenario) => [plan(scenario, 'standby'), plan(scenario, 'two-leaders')]);
  return [...Object.keys(scenarios).map((scenario) => plan(scenario, 'one')), ...pairs];
}

/** Plays every scenario, or only these, without a fault, and notes what passed. */
export async function learn(
  rig: Rig,
  only: readonly string[],
  onVerdict: (verdict: Verdict) => void,
): Promise<readonly Outcome[]> {
  const plans = lessonPlans().filter(({ scenario }) => only.length === 0 || only.includes(scenario));
  return runPlans(rig, plans, { onVerdict });
}

export function lessonOf({ plan: { scenario, crew }, seen }: Outcome): Lesson {
  return { scenario, crew, seen };
}
