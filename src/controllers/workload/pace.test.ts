import { describe, expect, it } from 'vitest';
import type { Held } from '../../api/v1/rollout.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { consumedTarget } from '../secret-reference/rollout-findings.ts';
import { buildConsumer, buildReference, buildVersionSet, buildWorkload } from '../testing/builders.ts';
import type { DueTarget } from './due.ts';
import { createPace } from './pace.ts';

const start = Date.parse('2026-01-01T00:10:00Z');
const minInterval = 60_000;

function dueWith(settle: string, held?: Held): DueTarget {
  const reference = buildReference({ spec: { rollout: { settle } }, status: held === undefined ? {} : { held } });
  return { reference, target: consumedTarget(reference), consumer: buildConsumer(), content: '1:bbbb' };
}

function setup({ lastAt }: { lastAt?: number } = {}) {
  const clock = createFakeClock(start);
  return { clock, pace: createPace(minInterval, clock, { lastAt: () => lastAt }) };
}

const markedAt = (time: string) => buildWorkload({ markedAt: `2026-01-01T${time}Z` });

describe('a rollout that is due', () => {
  it('waits for other changes, and begins when its window is over', async () => {
    const { clock, pace } = setup();
    expect(pace.check(buildWorkload(), [dueWith('2s')])).toEqual({ ms: 2_000, reason: undefined });
    await clock.advance(1_500);
    expect(pace.check(buildWorkload(), [dueWith('2s')])).toEqual({ ms: 500, reason: undefined });
    await clock.advance(500);
    expect(pace.check(buildWorkload(), [dueWith('2s')])).toBeUndefined();
  });

  it('waits once for all targets that change meanwhile, by the longest window', async () => {
    const { clock, pace } = setup();
    pace.check(buildWorkload(), [dueWith('2s')]);
    await clock.advance(1_000);
    expect(pace.check(buildWorkload(), [dueWith('2s'), dueWith('5s')])).toEqual({ ms: 4_000, reason: undefined });
    await clock.advance(4_000);
    expect(pace.check(buildWorkload(), [dueWith('2s'), dueWith('5s')])).toBeUndefined();
  });

  it('waits anew after there was nothing due', async () => {
    const { clock, pace } = setup();
    pace.check(buildWorkload(), [dueWith('2s')]);
    await clock.advance(2_000);
    pace.forget('workload-uid');
    expect(pace.check(buildWorkload(), [dueWith('2s')])).toEqual({ ms: 2_000, reason: undefined });
  });

  it('waits apart from other workloads', async () => {
    const { clock, pace } = setup();
    pace.check(buildWorkload(), [dueWith('2s')]);
    await clock.advance(2_000);
    expect(pace.check(buildWorkload({ metadata: { uid: 'other' } }), [dueWith('2s')])).toMatchObject({ ms: 2_000 });
  });
});

describe('a workload that was rolled out a short time ago', () => {
  const due = [dueWith('0s')];
  const reason = 'it was rolled out less than 1m ago';

  it("waits by the API server's stamp", () => {
    expect(setup().pace.check(markedAt('00:09:40'), due)).toEqual({ ms: 40_000, reason });
    expect(setup().pace.check(markedAt('00:09:00'), due)).toBeUndefined();
  });

  it('waits by what this process did, where others took the marker away', () => {
    expect(setup({ lastAt: start - 10_000 }).pace.check(buildWorkload(), due)).toEqual({ ms: 50_000, reason });
    expect(setup({ lastAt: start - 10_000 }).pace.check(markedAt('00:09:55'), due)).toEqual({ ms: 55_000, reason });
  });

  it('waits no longer than the interval where the clock here is behind', async () => {
    const { clock, pace } = setup();
    expect(pace.check(markedAt('05:00:00'), due)).toEqual({ ms: minInterval, reason });
    await clock.advance(minInterval);
    expect(pace.check(markedAt('05:00:00'), due)).toBeUndefined();
  });

  it('does not wait where a failed rollout goes back', () => {
    const held = { good: buildVersionSet(), bad: buildVersionSet(), since: '2026-01-01T00:10:00Z', why: 'it failed' };
    expect(setup().pace.check(markedAt('00:09:59'), [...due, dueWith('0s', held)])).toBeUndefined();
  });
});
