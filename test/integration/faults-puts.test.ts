import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runPlans } from '../faults/batch.ts';
import { keptVersions } from '../faults/embedded.ts';
import { type Plan, planName } from '../faults/plan.ts';
import { writeFailure } from '../faults/report.ts';
import { type Rig, startRig } from '../faults/rig.ts';
import type { Verdict } from '../faults/run-plan.ts';

const calm = { scenario: 'embedded-puts', crew: 'one', faults: [] } as const satisfies Plan;
/** With which the put begins that a workload runs on: what comes before only prepares for it. */
const begin = `p: create secretversions db-${keptVersions + 1} #1`;

/** Of people and of the operator: each is among those that it is killed at. */
const writesOfPuts = [
  'p: create secretversions',
  'p: create versionedsecrets',
  'a: apply versionedsecrets/status',
  'a: apply secretversions/status',
  'a: delete secretversions',
  'a: apply secrets',
  'a: apply secretreferences/status',
  'a: apply deployments',
];

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ lanes: 3, motoUrl: inject('moto').url });
});
afterAll(async () => {
  await rig?.stop();
});

describe('an operator that is killed between any two writes of a put', () => {
  it('violates no invariant: the put is made or not, and all that follows from it comes', {
    timeout: 900_000,
  }, async () => {
    const failures: Promise<string>[] = [];
    const onVerdict = (verdict: Verdict): void => {
      if (verdict.violations.length > 0) failures.push(writeFailure(verdict));
    };
    const [{ seen } = { seen: [] }] = await runPlans(rig, [calm], { onVerdict });
    const plans = killsIn(seen);

    const outcomes = await runPlans(rig, plans, { onVerdict });

    expect(await Promise.all(failures)).toEqual([]);
    const kinds = new Set(plans.flatMap(({ faults }) => faults.map(({ at }) => kindOf(at))));
    expect(writesOfPuts.filter((kind) => !kinds.has(kind))).toEqual([]);
    const missed = outcomes.filter((outcome) => outcome.missed.length > 0).map(({ plan }) => planName(plan));
    expect(missed.length).toBeLessThan(plans.length / 4);
  });
});

/** A plan for the moment before each write of the puts, and one for the moment after it. */
function killsIn(seen: Verdict['seen']): readonly Plan[] {
  const from = seen.findIndex(({ at }) => at === begin);
  if (from === -1) throw new Error(`nothing begins with ${begin}`);
  const writes = seen.slice(from).filter(({ on, at }) => on === 'request' && isWrite(at));
  return writes.flatMap(({ at }) => [killed(at, 'kill-before'), killed(at, 'kill-after')]);
}

function killed(at: string, when: 'kill-before' | 'kill-after'): Plan {
  return { ...calm, faults: [{ on: 'request', at, do: when }] };
}

/** What is only asked by a POST is not; leases and events are no part of a put. */
function isWrite(at: string): boolean {
  return !/^\w: (get|list|watch) | (leases|events|\w+reviews) | dry-run /.test(at);
}

/** `a: apply secretversions/status db-1 #2` -> `a: apply secretversions/status`. */
function kindOf(at: string): string {
  return at.split(' ', 3).join(' ');
}
