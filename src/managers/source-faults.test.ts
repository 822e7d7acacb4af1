import { describe, expect, it } from 'vitest';
import { ManagerError } from './errors.ts';
import type { Bench } from './source/source-bench.ts';
import { createBench, show, stage, throttled, unavailable, value, want } from './source/source-bench.ts';

const MINUTE = 60_000;

function subscribeMany({ manager, source }: Bench, count: number): void {
  for (let index = 0; index < count; index += 1) {
    manager.set(`s${index}`, 'v1');
    source.subscribe(`ref${index}`, [want(value(`s${index}`))]);
  }
}

/** A source that knows secret `a` at version v1. */
async function benchWithA(): Promise<Bench> {
  const bench = createBench();
  bench.manager.set('a', 'v1');
  bench.source.subscribe('ref', [want(value('a'))]);
  await bench.clock.advance(1_000);
  bench.told.length = 0;
  return bench;
}

describe('a manager that can not be asked', () => {
  it('costs no more calls than one that answers', async () => {
    const bench = createBench();
    subscribeMany(bench, 200);
    await bench.clock.advance(1_000);
    bench.manager.fault = () => unavailable();
    for (const minutes of [1, 1, 3, 5]) {
      const before = bench.manager.count();
      await bench.clock.advance(minutes * MINUTE);
      expect(bench.manager.count() - before).toBeLessThanOrEqual(20 * minutes);
    }
  });

  it('costs few calls when it never answered', async () => {
    const bench = createBench();
    bench.manager.fault = () => unavailable();
    subscribeMany(bench, 1_000);
    await bench.clock.advance(MINUTE);
    expect(bench.manager.count()).toBeLessThanOrEqual(50);
    await bench.clock.advance(MINUTE);
    expect(bench.manager.count()).toBeLessThanOrEqual(55);
  });

  it('is swept as soon as a probe succeeds', async () => {
    const bench = createBench();
    subscribeMany(bench, 200);
    await bench.clock.advance(1_000);
    bench.manager.fault = () => unavailable();
    await bench.clock.advance(5 * MINUTE);
    for (let index = 0; index < 200; index += 1) {
      bench.manager.set(`s${index}`, 'v2');
    }
    bench.manager.fault = () => undefined;
    const failed = bench.manager.count();
    while (bench.manager.count() === failed) {
      await bench.clock.advance(1_000);
    }
    await bench.clock.advance(1_000);
    const shown = Array.from({ length: 200 }, (_, index) => show(bench.source.read(value(`s${index}`))));
    expect(new Set(shown)).toEqual(new Set(['v2']));
    expect(bench.manager.count() - failed).toBeLessThanOrEqual(12);
  });

  it('is not left waiting by those whose own backoff is longer than that of the probes', async () => {
    let chance = 0;
    const random = (): number => {
      chance = 1 - chance;
      return chance;
    };
    const bench = createBench({ random });
    subscribeMany(bench, 20);
    await bench.clock.advance(1_000);
    bench.manager.fault = () => unavailable();
    // Each failed call draws twice: the longest wait for its batch, then the shortest for the next probe.
    chance = 0;
    await bench.clock.advance(5 * MINUTE);
    bench.source.subscribe('probe', [want(value('s20'))]);
    bench.manager.fault = () => undefined;
    bench.manager.set('s0', 'v2');
    await bench.clock.advance(3_000);
    expect(show(bench.source.read(value('s20')))).toBe('failed SecretNotFound');
    expect(show(bench.source.read(value('s0')))).toBe('v2');
  });

  it('is not asked in bursts once it is back', async () => {
    const bench = createBench();
    subscribeMany(bench, 200);
    await bench.clock.advance(1_000);
    bench.manager.fault = () => unavailable();
    await bench.clock.advance(5 * MINUTE);
    bench.manager.fault = () => undefined;
    await bench.clock.advance(2 * MINUTE);
    const before = bench.manager.count();
    await bench.clock.advance(5 * MINUTE);
    const times = bench.manager.calls.slice(before).map((call) => call.at);
    const busiest = Math.max(...times.map((start) => times.filter((at) => at >= start && at < start + 5_000).length));
    expect(busiest).toBeLessThanOrEqual(6);
  });

  it('shows a failure at once where nothing was known, and tells of it once', async () => {
    const { source, manager, clock, told } = createBench();
    manager.fault = () => unavailable();
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(500);
    expect(show(source.read(value('a')))).toBe('failed ManagerUnavailable');
    expect(told).toEqual(['ref']);
    await clock.advance(2_000);
    expect(told).toEqual(['ref']);
    manager.fault = () => throttled();
    await clock.advance(3_000);
    expect(show(source.read(value('a')))).toBe('failed Throttled');
  });

  it('leaves a known value, and tells nobody of the first failures', async () => {
    const { source, manager, clock, told } = await benchWithA();
    manager.fault = () => unavailable();
    const calls = manager.count();
    while (manager.count() < calls + 2) {
      await clock.advance(1_000);
    }
    expect(source.read(value('a'))).toMatchObject({ state: 'known', trouble: { tries: 2, stale: false } });
    expect(told).toEqual([]);
  });

  it('becomes stale after three tries, and tells once; and once more when it ends', async () => {
    const { source, manager, clock, told } = await benchWithA();
    manager.fault = () => unavailable();
    await clock.advance(MINUTE);
    expect(source.read(value('a'))).toMatchObject({ state: 'known', trouble: { stale: true } });
    await clock.advance(10 * MINUTE);
    expect(told).toEqual(['ref']);
    manager.fault = () => undefined;
    await clock.advance(MINUTE + 1_000);
    expect(source.read(value('a'))).toMatchObject({ state: 'known', trouble: undefined });
    expect(told).toEqual(['ref', 'ref']);
  });

  it('makes everything stale that is overdue, not only what the probes asked for', async () => {
    const bench = createBench();
    subscribeMany(bench, 200);
    await bench.clock.advance(1_000);
    bench.told.length = 0;
    bench.manager.fault = () => unavailable();
    await bench.clock.advance(5 * MINUTE);
    expect(new Set(bench.told).size).toBe(200);
    expect(bench.told).toHaveLength(200);
  });

  it('becomes stale after ten minutes without a third try', async () => {
    const { source, manager, clock, told } = await benchWithA();
    manager.fault = () => unavailable(300_000);
    await clock.advance(30_000);
    const failedAt = clock.now();
    manager.latency = () => 29_000;
    await clock.advance(9.9 * MINUTE - 30_000);
    const early = source.read(value('a'));
    await clock.advance(MINUTE);
    const late = source.read(value('a'));
    expect(early).toMatchObject({ trouble: { stale: false, tries: 2 } });
    expect(late).toMatchObject({ trouble: { stale: true, tries: 2 } });
    expect(late.state === 'known' && (late.trouble?.since ?? 0) <= failedAt).toBe(true);
    expect(told).toEqual(['ref']);
  });

  it('is not asked before the time that it asked for, at most five minutes', async () => {
    const { source, manager, clock } = await benchWithA();
    manager.fault = () => unavailable(120_000);
    await clock.advance(30_000);
    const before = manager.count();
    const failedAt = manager.calls.at(-1)?.at ?? 0;
    source.look('a');
    source.subscribe('other', [want(value('b'))]);
    await clock.advance(failedAt + 120_000 - clock.monotonic());
    expect(manager.count()).toBe(before);
    manager.fault = () => unavailable(86_400_000);
    await clock.advance(1_000);
    expect(manager.count()).toBe(before + 1);
    manager.fault = () => undefined;
    await clock.advance(5 * MINUTE + 1_000);
    expect(manager.count()).toBeGreaterThan(before + 1);
    expect(source.read(value('a'))).toMatchObject({ trouble: undefined });
  });

  it('that wants to be left alone for long is told of at once to who comes meanwhile, without a call', async () => {
    const bench = await benchWithA();
    bench.manager.set('b', 'v1');
    bench.manager.fault = () => unavailable(5 * MINUTE);
    await bench.clock.advance(31_000);
    const calls = bench.manager.count();
    bench.source.subscribe('late', [want(value('b'))]);
    expect(bench.told).toEqual([]);
    await bench.clock.advance(1_000);
    expect(bench.told).toEqual(['late']);
    expect(show(bench.source.read(value('b')))).toBe('failed ManagerUnavailable');
    expect(bench.manager.count()).toBe(calls);
  });

  it('is told of to who wants another label of a secret that is in trouble already', async () => {
    const bench = await benchWithA();
    bench.manager.fault = () => unavailable();
    await bench.clock.advance(MINUTE);
    bench.told.length = 0;
    bench.source.subscribe('late', [want(stage('a', 'previous'))]);
    await bench.clock.advance(MINUTE);
    expect(bench.told).toContain('late');
    expect(show(bench.source.read(stage('a', 'previous')))).toBe('failed ManagerUnavailable');
  });

  it('is asked for a new reference within two seconds of its coming back, however long it was away', async () => {
    const { source, manager, clock } = await benchWithA();
    manager.fault = () => unavailable();
    await clock.advance(20 * MINUTE);
    manager.fault = () => undefined;
    manager.set('b', 'v1');
    source.subscribe('new', [want(value('b'))]);
    await clock.advance(2_000);
    expect(show(source.read(value('b')))).toBe('v1');
  });

  it('does not hold up anything for longer than its deadline when it hangs', async () => {
    const bench = await benchWithA();
    const { source, manager, clock, metrics } = bench;
    manager.latency = () => Number.POSITIVE_INFINITY;
    await clock.advance(MINUTE + 2_000);
    expect(source.read(value('a'))).toMatchObject({
      state: 'known',
      trouble: { error: { reason: 'ManagerUnavailable' } },
    });
    expect(manager.calls.at(1)?.signal.aborted).toBe(true);
    expect(metrics.at(1)).toMatchObject({ kind: 'access', result: 'ManagerUnavailable' });
    expect(metrics.at(1)?.seconds).toBeCloseTo(30);
    manager.latency = () => 1;
    manager.set('a', 'v2');
    await clock.advance(2 * MINUTE);
    expect(show(source.read(value('a')))).toBe('v2');
  });

  it('may throw what it likes: only the class of a foreign error is logged', async () => {
    const lines: unknown[] = [];
    const record = (message: string, fields: unknown): void => void lines.push([message, fields]);
    const logger = { debug: record, info: record, warn: record, error: record, child: () => logger };
    const { source, manager, clock } = createBench({ logger });
    manager.fault = () => new SyntaxError('Unexpected token canary-value');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(500);
    expect(show(source.read(value('a')))).toBe('failed ManagerUnavailable');
    expect(JSON.stringify(lines)).toContain('SyntaxError');
    expect(JSON.stringify([lines, source.read(value('a'))])).not.toContain('canary');
  });

  it('fails a call whose answer is incomplete', async () => {
    const { source, manager, clock } = createBench();
    const access = manager.access.bind(manager);
    manager.set('a', 'v1');
    manager.access = async (selections, signal) => (await access(selections, signal)).slice(1);
    source.subscribe('ref', [want(value('a')), want(value('b'))]);
    await clock.advance(500);
    expect(show(source.read(value('a')))).toBe('failed ManagerUnavailable');
  });
});

describe('one secret that can not be read', () => {
  it('backs off alone', async () => {
    const bench = createBench();
    bench.manager.refuse = ({ secret }) => (secret === 's3' ? throttled() : undefined);
    subscribeMany(bench, 10);
    await bench.clock.advance(500);
    expect(show(bench.source.read(value('s3')))).toBe('failed Throttled');
    expect(show(bench.source.read(value('s4')))).toBe('v1');
    await bench.clock.advance(10 * MINUTE);
    const alone = bench.manager.calls.filter((call) => call.selections.length === 1);
    expect(alone.length).toBeLessThanOrEqual(20);
    expect(bench.source.read(value('s4'))).toMatchObject({ trouble: undefined });
  });

  it('keeps nobody waiting, however many have such a fault of their own at once', async () => {
    const { source, manager, clock } = createBench();
    manager.refuse = ({ secret }) =>
      secret.startsWith('bad') ? new ManagerError('ManagerUnavailable', 'own', { ofOneSecret: true }) : undefined;
    source.subscribe('bad', [want(value('bad-1')), want(value('bad-2'))]);
    manager.set('good', 'v1');
    await clock.advance(200);
    expect(show(source.read(value('bad-1')))).toBe('failed ManagerUnavailable');
    source.subscribe('good', [want(value('good'))]);
    await clock.advance(200);
    expect(show(source.read(value('good')))).toBe('v1');
  });

  it('does not keep others waiting when its calls hang', async () => {
    const bench = createBench();
    bench.manager.latency = ({ selections }) => (selections.some(({ secret }) => secret === 'bad') ? 1e9 : 10);
    bench.source.subscribe('bad', [want(value('bad'))]);
    await bench.clock.advance(5_000);
    bench.manager.set('good', 'v1');
    bench.source.subscribe('good', [want(value('good'))]);
    await bench.clock.advance(1_000);
    expect(show(bench.source.read(value('good')))).toBe('v1');
  });

  it('shows a definite refusal in place of the value that was known', async () => {
    const { source, manager, clock, told } = await benchWithA();
    manager.refuse = () => new ManagerError('AccessDenied', 'the role may not read secret a');
    await clock.advance(31_000);
    expect(source.read(value('a'))).toMatchObject({
      state: 'failed',
      trouble: undefined,
      error: { reason: 'AccessDenied' },
    });
    await clock.advance(5 * MINUTE);
    expect(told).toEqual(['ref']);
  });

  it('is read within the poll interval once it is permitted, although it is pinned', async () => {
    const { source, manager, clock } = createBench();
    const pinned = value('a', { kind: 'version', version: 'v1' });
    manager.set('a', 'v1');
    manager.refuse = () => new ManagerError('AccessDenied', 'the role may not read secret a');
    source.subscribe('ref', [want(pinned)]);
    await clock.advance(1_000);
    expect(show(source.read(pinned))).toBe('failed AccessDenied');
    manager.refuse = () => undefined;
    await clock.advance(31_000);
    expect(show(source.read(pinned))).toBe('v1');
  });

  it('is refused with the whole call', async () => {
    const { source, manager, clock } = await benchWithA();
    manager.fault = () => new ManagerError('AccessDenied', 'the credentials are not valid');
    await clock.advance(31_000);
    expect(show(source.read(value('a')))).toBe('failed AccessDenied');
    const before = manager.count();
    await clock.advance(5 * MINUTE);
    expect(manager.count() - before).toBeLessThanOrEqual(10);
  });
});

describe('secrets that do not exist', () => {
  it('are asked for again after 2, 4, 8 and 16 seconds, then at every poll', async () => {
    const { source, manager, clock, told } = createBench();
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(2 * MINUTE);
    expect(show(source.read(value('a')))).toBe('failed SecretNotFound');
    expect(told).toEqual(['ref']);
    const gaps = manager.calls.map((call, index) => call.at - (manager.calls[index - 1]?.at ?? call.at)).slice(1);
    expect(gaps.slice(0, 4).map((gap) => Math.round(gap / 2_000) * 2)).toEqual([2, 4, 8, 16]);
    expect(Math.min(...gaps.slice(4))).toBeGreaterThanOrEqual(29_000);
  });

  it('appear soon after they are created', async () => {
    const { source, manager, clock } = createBench();
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    manager.set('a', 'v1');
    await clock.advance(2_000);
    expect(show(source.read(value('a')))).toBe('v1');
  });

  it('neither slow nor starve the others', async () => {
    const bench = createBench();
    for (let index = 0; index < 500; index += 1) {
      bench.source.subscribe(`broken${index}`, [want(value(`missing${index}`))]);
    }
    await bench.clock.advance(3_000);
    const before = bench.manager.count();
    subscribeMany(bench, 500);
    await bench.clock.advance(2_000);
    const good = bench.manager.calls
      .slice(before)
      .filter((call) => call.selections.every(({ secret }) => secret.startsWith('s')));
    expect(good).toHaveLength(25);
    expect(show(bench.source.read(value('s499')))).toBe('v1');
  });

  it('cost one call however many references want one', async () => {
    const bench = createBench();
    for (let index = 0; index < 1_000; index += 1) {
      bench.source.subscribe(`ref${index}`, [want(value('missing'))]);
    }
    await bench.clock.advance(1_500);
    expect(bench.manager.count()).toBe(1);
    expect(bench.told).toHaveLength(1_000);
  });
});
