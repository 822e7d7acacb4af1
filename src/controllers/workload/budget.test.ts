import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createBudget, type Taker } from './budget.ts';

function setup(most: number) {
  const clock = createFakeClock();
  const called: string[] = [];
  const budget = createBudget(most, clock, ({ name }) => called.push(name));
  const wait = (namespace: string, ...names: readonly string[]) =>
    names.forEach((name) => budget.wait({ namespace, name }));
  return { clock, called, budget, wait };
}

const of = (namespace: string, uid: string): Taker => ({ namespace, uid });

describe('the budget of rollouts', () => {
  it('gives as many places as there are, and one workload never two', () => {
    const { budget } = setup(2);
    expect(budget.take(of('a', '1'))).toBe(true);
    expect(budget.take(of('a', '1'))).toBe(true);
    expect(budget.take(of('b', '2'))).toBe(true);
    expect(budget.take(of('c', '3'))).toBe(false);
  });

  it('gives one namespace half of the places, and at least one', () => {
    const { budget } = setup(3);
    expect(['1', '2', '3'].map((uid) => budget.take(of('a', uid)))).toEqual([true, true, false]);
    expect(budget.take(of('b', '4'))).toBe(true);
    expect(setup(1).budget.take(of('a', '1'))).toBe(true);
  });

  it('has a place again when a rollout is over', () => {
    const { budget } = setup(1);
    budget.take(of('a', '1'));
    budget.note(of('a', '1'), undefined);
    expect(budget.take(of('b', '2'))).toBe(true);
  });

  it('counts rollouts that began before this process', () => {
    const { budget, clock } = setup(1);
    budget.note(of('a', '1'), { since: clock.now() - 1_000 });
    expect(budget.take(of('b', '2'))).toBe(false);
  });

  it('takes the place from a rollout that never ends', async () => {
    const { budget, clock } = setup(1);
    budget.take(of('a', '1'));
    await clock.advance(600_000);
    expect(budget.take(of('b', '2'))).toBe(false);
    await clock.advance(1);
    expect(budget.take(of('b', '2'))).toBe(true);
  });

  it('does not believe a stamp that lies in the future', async () => {
    const { budget, clock } = setup(1);
    budget.note(of('a', '1'), { since: clock.now() + 3_600_000 });
    await clock.advance(600_001);
    expect(budget.take(of('b', '2'))).toBe(true);
  });
});

describe('workloads that wait for a place', () => {
  it('are called in the order in which they came, as many as there are places, each once', () => {
    const { budget, called, wait } = setup(4);
    budget.take(of('x', '1'));
    budget.take(of('y', '2'));
    wait('a', 'first', 'second');
    wait('b', 'third');
    wait('a', 'first');
    budget.callWaiting();
    expect(called).toEqual(['first', 'second']);
    expect(budget.waiting).toBe(1);
  });

  it('are not called while there is no place', () => {
    const { budget, called, wait } = setup(1);
    budget.take(of('x', '1'));
    wait('a', 'first');
    budget.callWaiting();
    expect(called).toEqual([]);
    expect(budget.waiting).toBe(1);
  });

  it('are passed over while their namespace has its share', () => {
    const { budget, called, wait } = setup(2);
    budget.take(of('a', '1'));
    wait('a', 'first');
    wait('b', 'second');
    budget.callWaiting();
    expect(called).toEqual(['second']);
  });
});
