import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runPlans } from '../faults/batch.ts';
import { choose } from '../faults/generate.ts';
import { learn, lessonOf } from '../faults/learn.ts';
import { mutants, runMutants } from '../faults/mutants.ts';
import { planName } from '../faults/plan.ts';
import { writeFailure } from '../faults/report.ts';
import { type Rig, startRig } from '../faults/rig.ts';
import type { Verdict } from '../faults/run-plan.ts';

/** Samples that fit: `make faults` runs them all. */
const samples = [
  { of: 'a backend', scenarios: ['rotation', 'recreated', 'several-targets'], plans: 20 },
  { of: 'secrets in the cluster', scenarios: ['embedded-while-down', 'embedded-changes'], plans: 8 },
];

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ lanes: 3, motoUrl: inject('moto').url });
});
afterAll(async () => {
  await rig.stop();
});

describe('when anything goes wrong that can', () => {
  it.each(samples)('no invariant of $of is violated', { timeout: 300_000 }, async ({ scenarios, plans }) => {
    const failures: Promise<string>[] = [];
    const onVerdict = (verdict: Verdict): void => {
      if (verdict.violations.length > 0) failures.push(writeFailure(verdict));
    };
    const lessons = await learn(rig, scenarios, onVerdict);

    const outcomes = await runPlans(rig, choose(lessons.map(lessonOf), { seed: 1, plans, slow: false }), { onVerdict });

    expect(await Promise.all(failures)).toEqual([]);
    expect(outcomes).toHaveLength(plans);
    const missed = outcomes.filter((outcome) => outcome.missed.length > 0).map(({ plan }) => planName(plan));
    expect(missed.length).toBeLessThan(plans / 4);
  });
});

describe('an operator with a mistake that others made', () => {
  const few = new Set(['missing-key-left-out', 'owner-by-name', 'time-stamp-as-marker']);

  it('is noticed', { timeout: 300_000 }, async () => {
    const chosen = mutants.filter(({ name }) => few.has(name));

    const verdicts = await runMutants(rig, chosen);

    expect(
      verdicts
        .filter(({ caught }) => caught)
        .map(({ mutant }) => mutant)
        .toSorted(),
    ).toEqual([...few].toSorted());
  });
});
