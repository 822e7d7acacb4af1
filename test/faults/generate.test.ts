import { describe, expect, it } from 'vitest';
import { choose, type Lesson, plansOf } from './generate.ts';
import { planName } from './plan.ts';

const lesson: Lesson = {
  scenario: 'rotation',
  crew: 'one',
  seen: [
    { on: 'request', at: 'a: get secrets app #1' },
    { on: 'request', at: 'a: apply secrets app #1' },
    { on: 'request', at: 'a: patch leases keyferry-operator #7' },
    { on: 'event', at: 'a: ADDED secrets app #1' },
    { on: 'call', at: 'GetSecretValue */db #1' },
  ],
};

describe('plans', () => {
  it('are made for each request and each fault; what is read can not be lost after it had an effect', () => {
    const names = plansOf(lesson).map(planName);
    expect(names).toContain('rotation: kill-after @ request a: apply secrets app #1');
    expect(names).toContain('rotation: kill-before @ request a: get secrets app #1');
    expect(names).not.toContain('rotation: kill-after @ request a: get secrets app #1');
    expect(names).toContain('rotation: half-open @ event a: ADDED secrets app #1');
    expect(names.some((name) => name.includes('leases'))).toBe(false);
  });

  it('stop only a leader that has a standby', () => {
    const stops = (each: Lesson): number => plansOf(each).filter((plan) => planName(plan).includes('stop-')).length;
    expect(stops(lesson)).toBe(0);
    expect(stops({ ...lesson, crew: 'standby' })).toBe(2);
  });

  it('are the same for the same seed, and others for another', () => {
    const names = (seed: number): readonly string[] => choose([lesson], { seed, plans: 20 }).map(planName);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it('have two faults where those of one are used up, and none is there twice', () => {
    const names = choose([lesson], { seed: 1, plans: 100 }).map(planName);
    expect(names).toHaveLength(100);
    expect(new Set(names).size).toBe(100);
    expect(names.some((name) => name.includes(' + '))).toBe(true);
  });
});
