import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { logToStderr } from '../cluster/progress.ts';
import { runPlans } from './batch.ts';
import { choose } from './generate.ts';
import { learn, lessonOf } from './learn.ts';
import { planSchema, planName } from './plan.ts';
import { type Rig, startRig } from './rig.ts';
import { mutants, type MutantVerdict, runMutants as runInLanes } from './mutants.ts';
import { type Summary, summarize, writeFailure, writeReport } from './report.ts';
import { runPlan, type Verdict } from './run-plan.ts';

const settingsSchema = z.object({
  /** How many plans, the learn run apart. */
  PLANS: z.coerce.number().int().min(1).default(1000),
  SEED: z.coerce.number().int().default(1),
  /** How many at once. Most of a run is waiting. */
  LANES: z.coerce.number().int().min(1).default(6),
  /** What is run: plans, mutants, or both. */
  WHAT: z.enum(['all', 'plans', 'mutants']).default('all'),
  /** Only plans of this scenario, or only the mutant of this name. */
  SCENARIO: z.string().default(''),
  /** Path of a plan that is run alone. */
  REPLAY: z.string().default(''),
  /** How long nothing may be written at the end of a run, in seconds (L2). */
  QUIET: z.coerce.number().min(0).default(1.3),
  /** How often each plan is run. */
  TIMES: z.coerce.number().int().min(1).default(1),
});
type Settings = z.infer<typeof settingsSchema>;

async function main(): Promise<number> {
  const settings = settingsSchema.parse(
    Object.fromEntries(Object.entries(process.env).filter(([, text]) => text !== '')),
  );
  const rig = await startRig({ lanes: settings.LANES });
  try {
    return settings.REPLAY === '' ? await runBoth(rig, settings) : await replay(rig, settings);
  } finally {
    await rig.stop();
  }
}

async function replay(rig: Rig, { REPLAY, TIMES, QUIET }: Settings): Promise<number> {
  const plan = planSchema.parse(JSON.parse(await readFile(REPLAY, 'utf8')));
  const [lane = ''] = rig.lanes;
  let failures = 0;
  for (let time = 0; time < TIMES; time += 1) {
    const verdict = await runPlan(plan, { rig, lane, quiet: QUIET * 1000 });
    const violated = verdict.violations.length > 0;
    const missed = verdict.missed.length > 0 ? ', and its moment never came' : '';
    const found = violated ? await writeFailure(verdict) : `${planName(plan)}: nothing is violated${missed}`;
    logToStderr(`${found} (${verdict.seconds.toFixed(1)} s)`);
    if (violated) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

async function runBoth(rig: Rig, settings: Settings): Promise<number> {
  const plans = settings.WHAT === 'mutants' ? undefined : await runAll(rig, settings);
  const caught = settings.WHAT === 'plans' ? undefined : await runMutants(rig, settings.SCENARIO);
  const path = await writeReport('report.json', { seed: settings.SEED, ...plans, mutants: caught });
  logToStderr(path);
  const missed = caught?.filter((verdict) => !verdict.caught) ?? [];
  return (plans?.violations.length ?? 0) + missed.length === 0 ? 0 : 1;
}

async function runMutants(rig: Rig, only: string): Promise<readonly MutantVerdict[]> {
  const chosen = mutants.filter(({ name }) => only === '' || name === only);
  const verdicts = await runInLanes(rig, chosen);
  for (const { mutant, mistake, caught, found } of verdicts) {
    logToStderr(
      `${caught ? 'caught' : 'MISSED'} ${mutant} (${mistake})${found[0] === undefined ? '' : `: ${found[0]}`}`,
    );
  }
  logToStderr(`${verdicts.filter(({ caught }) => caught).length} of ${verdicts.length} mutants caught`);
  return verdicts;
}

async function runAll(rig: Rig, { PLANS, SEED, SCENARIO, TIMES, QUIET }: Settings): Promise<Summary> {
  const started = performance.now();
  const failures: Promise<void>[] = [];
  let done = 0;
  const onVerdict = (verdict: Verdict): void => {
    done += 1;
    if (verdict.violations.length > 0) failures.push(tell(verdict));
    if (done % 50 === 0) logToStderr(`${done} runs, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  };
  const lessons = await learn(rig, SCENARIO === '' ? [] : [SCENARIO], onVerdict);
  const chosen = choose(lessons.map(lessonOf), { seed: SEED, plans: PLANS });
  const plans = Array.from({ length: TIMES }, () => chosen).flat();
  logToStderr(`${lessons.length} runs without a fault; now ${plans.length} plans`);
  const begun = performance.now();
  const outcomes = [...lessons, ...(await runPlans(rig, plans, { onVerdict, quiet: QUIET * 1000 }))];
  await Promise.all(failures);
  const summary = summarize(outcomes, (performance.now() - begun) / 1000);
  logToStderr(
    [
      `${summary.plans} plans (seed ${SEED}) in ${summary.seconds} s, ${(summary.seconds / summary.plans).toFixed(2)} s a plan`,
      `${summary.missed} whose moment never came, ${summary.repeated} that were run again on a busy machine`,
      `${summary.violations.length} that violate something`,
    ].join('\n'),
  );
  return summary;
}

async function tell(verdict: Verdict): Promise<void> {
  logToStderr(await writeFailure(verdict));
}

process.exitCode = await main();
