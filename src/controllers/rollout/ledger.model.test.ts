import { describe, expect, it } from 'vitest';
import { explore, type Report } from './testing/model-explore.ts';
import { rule, type Rule, wrongRules } from './testing/model-rule.ts';
import { adoptableCluster, dueCluster, inFlightCluster, newCluster, settledCluster } from './testing/model-start.ts';
import type { Bounds } from './testing/model-steps.ts';

/** Tens of thousands of states take as long as the machine needs. */
const patient = { timeout: 120_000 };

/** The least that is worth a look: one leader that hears of everything at once, and never dies. */
const plain: Bounds = { start: settledCluster(), replaced: 0, deeds: {}, most: 2, crashes: 0, lag: 'none' };
const disturbed = { undo: 1, restart: 1, replace: 1, copy: 1 } as const;
const created = { create: 1, recreate: 1 } as const;

const everything: Bounds = { ...plain, crashes: 1, deeds: { put: 2, ...disturbed, ...created, wait: 1 } };
const inFlight: Bounds = {
  ...plain,
  start: inFlightCluster(2, 3),
  deeds: { back: 1, create: 1, wait: 1, restart: 1, undo: 1 },
  most: 3,
};
const replacedLeader: Bounds = { ...plain, start: dueCluster(2), replaced: 4, deeds: { put: 1 }, most: 1 };

const never = { bereft: 0, returned: 0, unseen: 0 };

function exploredWithoutFault(rules: Rule, bounds: Bounds): Report {
  const report = explore(rules, bounds);
  expect(report.fault).toBeUndefined();
  return report;
}

describe('no rollout is lost, none is for nothing, and no marker goes back', patient, () => {
  it.each<[number, string, Bounds]>([
    [10_000, 'two of anything that others do, and a crash', everything],
    [
      25_000,
      'three changes of versions and templates, and a crash',
      { ...plain, crashes: 1, deeds: { put: 2, undo: 1, restart: 1, replace: 1 }, most: 3 },
    ],
    [10_000, 'a reference that begins', { ...everything, start: newCluster() }],
    [
      10_000,
      'a Secret with other bytes that is taken over',
      { ...plain, start: adoptableCluster('others'), deeds: { put: 1, undo: 1, restart: 1, ...created } },
    ],
    [
      1_000,
      'a Secret with the same bytes that is taken over',
      { ...plain, start: adoptableCluster('one'), deeds: { put: 1, undo: 1, restart: 1, ...created } },
    ],
    [
      10_000,
      'a Secret that is deleted',
      { ...plain, deeds: { put: 1, deleteSecret: 1, create: 1, restart: 1 }, most: 3 },
    ],
    [10_000, 'a leader that was replaced and writes once more', replacedLeader],
    [
      5_000,
      'watches that are late by less than a read of the Secret',
      { ...plain, lag: 'bounded', deeds: { put: 1, create: 1, restart: 1, undo: 1 } },
    ],
  ])('in any of over %i states with %s', (least, _what, bounds) => {
    const report = exploredWithoutFault(rule, bounds);
    expect(report.states).toBeGreaterThan(least);
    expect(report.quiet).toBeGreaterThan(0);
    expect(report.missed).toEqual(never);
  });

  it('and where nobody restarts pods while a change is in flight, and no change overtakes another, each rollout has a reason', () => {
    const report = exploredWithoutFault(rule, { ...plain, crashes: 2, deeds: { put: 1, wait: 1 } });
    expect(report.needless).toEqual({ window: 0, overtaken: 0 });
  });
});

describe('a rollout is for nothing', patient, () => {
  it.each(['restart', 'undo', 'replace', 'copy', 'create'] as const)(
    'only where others %s a workload between a change and the status that tells of it',
    (deed) => {
      const report = exploredWithoutFault(rule, { ...plain, crashes: 1, deeds: { put: 1, [deed]: 1 } });
      expect(report.needless.window).toBeGreaterThan(0);
      expect(report.needless.overtaken).toBe(0);
    },
  );

  it('or where the Secret changes again between the last look at it and the marker: then there are two changes and two rollouts', () => {
    const report = exploredWithoutFault(rule, { ...plain, deeds: { put: 2 } });
    expect(report.needless.window).toBe(0);
    expect(report.needless.overtaken).toBeGreaterThan(0);
  });
});

describe('a rollout is missed', patient, () => {
  it('where reference and Secret are deleted and made anew while a version changes, by a workload without a marker of ours', () => {
    const deeds = { put: 1, deleteReference: 1, createReference: 1, restart: 1, replace: 1 };
    const report = exploredWithoutFault(rule, { ...plain, deeds, most: 4 });
    expect(report.missed).toEqual({ ...never, bereft: expect.any(Number) });
    expect(report.missed.bereft).toBeGreaterThan(0);
  });

  it.each<[string, number, Bounds]>([
    ['while it was due', 20_000, { ...plain, deeds: { put: 1, back: 1, undo: 1, restart: 1, create: 1 }, most: 3 }],
    ['while the operator was down', 15_000, inFlight],
  ])(
    'where the Secret goes back to the content before, by pods that started %s: the only case in over %i states',
    (_when, least, bounds) => {
      const report = exploredWithoutFault(rule, bounds);
      expect(report.states).toBeGreaterThan(least);
      expect(report.missed).toEqual({ ...never, returned: expect.any(Number) });
    },
  );

  it('where a watch tells of a workload only when the change that it was there before is over', () => {
    const report = exploredWithoutFault(rule, { ...plain, lag: 'unbounded', deeds: { put: 1, create: 1 } });
    expect(report.missed).toEqual({ ...never, unseen: expect.any(Number) });
    expect(report.missed.unseen).toBeGreaterThan(0);
  });
});

describe('the model finds a fault where', patient, () => {
  it.each(wrongRules)('%s', (_what, wrong) => {
    const isFaulty = (bounds: Bounds): boolean => explore(wrong, bounds).fault !== undefined;
    expect([everything, inFlight, replacedLeader].some(isFaulty)).toBe(true);
  });
});
