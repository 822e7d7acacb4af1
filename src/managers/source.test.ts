import { describe, expect, it } from 'vitest';
import type { Bench } from './source/source-bench.ts';
import { createBench, show, stage, throttled, value, want } from './source/source-bench.ts';

/** `references` subscribers share `secrets` secrets, as in consecutive reconciles of a cold start. */
function subscribeMany(bench: Bench, references: number, secrets: number): void {
  for (let index = 0; index < secrets; index += 1) {
    bench.manager.set(`s${index}`, 'v1');
  }
  for (let index = 0; index < references; index += 1) {
    bench.source.subscribe(`ref${index}`, [want(value(`s${index % secrets}`))]);
  }
}

/** The most calls in any minute from `from` on. */
function busiestMinute(bench: Bench, from: number): number {
  const times = bench.manager.calls.map((call) => call.at).filter((at) => at >= from);
  return Math.max(...times.map((start) => times.filter((at) => at >= start && at < start + 60_000).length));
}

describe('what a source costs', () => {
  it('reads 200 secrets of 1,000 references with ten calls', async () => {
    const bench = createBench();
    subscribeMany(bench, 1_000, 200);
    await bench.clock.advance(1_000);
    expect(bench.manager.count()).toBe(10);
    expect(bench.told).toHaveLength(1_000);
    expect(show(bench.source.read(value('s199')))).toBe('v1');
    expect(bench.source.usage()).toEqual({ secrets: 200, subscribers: 1_000 });
  });

  it('asks again with twenty calls in each minute, and tells nobody when nothing changed', async () => {
    const bench = createBench({ random: () => 0 });
    subscribeMany(bench, 1_000, 200);
    await bench.clock.advance(1_000);
    bench.told.length = 0;
    await bench.clock.advance(60_000);
    expect(bench.manager.count()).toBe(30);
    await bench.clock.advance(540_000);
    expect(bench.manager.count()).toBe(210);
    expect(bench.told).toEqual([]);
  });

  it('never makes more than 22 calls in a minute, whatever chance says', async () => {
    let seed = 63352;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const bench = createBench({ random });
    subscribeMany(bench, 1_000, 200);
    await bench.clock.advance(20 * 60_000);
    expect(busiestMinute(bench, 1_000)).toBeLessThanOrEqual(22);
    expect(bench.manager.count()).toBeGreaterThan(380);
    expect(bench.manager.count()).toBeLessThan(440);
  });

  it('gathers what comes a few milliseconds apart into one call', async () => {
    const bench = createBench();
    for (let index = 0; index < 8; index += 1) {
      bench.manager.set(`s${index}`, 'v1');
      bench.source.subscribe(`ref${index}`, [want(value(`s${index}`))]);
      await bench.clock.advance(5);
    }
    await bench.clock.advance(100);
    expect(bench.manager.count()).toBe(1);
  });

  it('joins what came at different times into the same polls', async () => {
    const bench = createBench();
    for (let index = 0; index < 20; index += 1) {
      bench.manager.set(`s${index}`, 'v1');
      bench.source.subscribe(`ref${index}`, [want(value(`s${index}`))]);
      await bench.clock.advance(1_000);
    }
    await bench.clock.advance(120_000);
    const before = bench.manager.count();
    await bench.clock.advance(300_000);
    expect(bench.manager.count() - before).toBeLessThanOrEqual(11);
  });

  it('asks for nothing when a subscriber says the same again', async () => {
    const bench = createBench();
    bench.manager.set('a', 'v1');
    bench.source.subscribe('ref', [want(value('a')), want(stage('a', 'previous'))]);
    await bench.clock.advance(1_000);
    for (let index = 0; index < 100; index += 1) {
      bench.source.subscribe('ref', [want(value('a')), want(stage('a', 'previous'))]);
    }
    await bench.clock.advance(1_000);
    expect(bench.manager.count()).toBe(1);
  });

  it('asks no oftener than the fastest subscriber wants', async () => {
    const bench = createBench();
    bench.manager.set('a', 'v1');
    bench.source.subscribe('slow', [want(value('a'), 600_000)]);
    await bench.clock.advance(1_000);
    await bench.clock.advance(599_000);
    expect(bench.manager.count()).toBeLessThanOrEqual(2);
    bench.source.subscribe('fast', [want(value('a'), 1_000)]);
    const before = bench.manager.count();
    await bench.clock.advance(300_000);
    expect(bench.manager.count() - before).toBeGreaterThanOrEqual(9);
  });

  it('looks at a pinned version once an hour', async () => {
    const bench = createBench();
    bench.manager.set('a', 'v1');
    bench.source.subscribe('ref', [want(value('a', { kind: 'version', version: 'v1' }))]);
    await bench.clock.advance(1_000);
    expect(bench.manager.count()).toBe(1);
    await bench.clock.advance(4 * 3_600_000);
    expect(bench.manager.count()).toBeGreaterThanOrEqual(4);
    expect(bench.manager.count()).toBeLessThanOrEqual(7);
  });
});

describe('what a source shows', () => {
  it('is pending before the first answer and for what nobody subscribed to', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    source.subscribe('ref', [want(value('a'))]);
    expect(show(source.read(value('a')))).toBe('pending');
    await clock.advance(1_000);
    expect(show(source.read(value('b')))).toBe('pending');
  });

  it('tells only those who use a secret that it changed, within the poll interval', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    manager.set('b', 'v1');
    source.subscribe('one', [want(value('a'))]);
    source.subscribe('two', [want(value('a'))]);
    source.subscribe('three', [want(value('b'))]);
    await clock.advance(1_000);
    told.length = 0;
    manager.set('a', 'v2');
    await clock.advance(31_500);
    expect(told.toSorted()).toEqual(['one', 'two']);
    expect(show(source.read(value('a')))).toBe('v2');
  });

  it('tells of an identity that changed although the bytes are the same', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1', 'same', 'v1@first');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    manager.set('a', 'v1', 'same', 'v1@second');
    await clock.advance(31_500);
    expect(told).toEqual(['ref', 'ref']);
  });

  it('prefers newer bytes under an identity that should not have changed', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1', 'old');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    manager.set('a', 'v1', 'new');
    await clock.advance(31_500);
    const reading = source.read(value('a'));
    expect(reading.state === 'known' && reading.result.value.asString()).toBe('new');
    expect(told).toEqual(['ref', 'ref']);
  });

  it('drops values at once when the last subscriber leaves', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    source.subscribe('one', [want(value('a'))]);
    source.subscribe('two', [want(value('a'))]);
    await clock.advance(1_000);
    source.subscribe('one', []);
    expect(show(source.read(value('a')))).toBe('v1');
    source.subscribe('two', []);
    expect(show(source.read(value('a')))).toBe('pending');
    expect(source.usage()).toEqual({ secrets: 0, subscribers: 0 });
    const before = manager.count();
    await clock.advance(600_000);
    expect(manager.count()).toBe(before);
    expect(told).toHaveLength(2);
  });

  it('keeps what one change of wants has in common with the last', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.set('b', 'v1');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    source.subscribe('ref', [want(value('b')), want(value('a'))]);
    expect(show(source.read(value('a')))).toBe('v1');
    await clock.advance(1_000);
    expect(show(source.read(value('b')))).toBe('v1');
    expect(manager.count()).toBe(2);
  });
});

describe('labels of one secret', () => {
  it('come from one call', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.set('a', 'v2');
    source.subscribe('ref', [want(value('a')), want(stage('a', 'previous'))]);
    await clock.advance(1_000);
    expect(manager.calls.map((call) => call.selections.length)).toEqual([2]);
  });

  it('are asked for together when one is added, and replaced together', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.set('a', 'v2');
    source.subscribe('one', [want(value('a'))]);
    await clock.advance(1_000);
    manager.set('a', 'v3');
    source.subscribe('two', [want(value('a')), want(stage('a', 'previous'))]);
    expect(show(source.read(stage('a', 'previous')))).toBe('pending');
    await clock.advance(1_000);
    expect(show(source.read(value('a')))).toBe('v3');
    expect(show(source.read(stage('a', 'previous')))).toBe('v2');
  });

  it('stay as they were when one of them could not be asked', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.set('a', 'v2');
    const topics = [value('a'), stage('a', 'previous')];
    source.subscribe(
      'ref',
      topics.map((topic) => want(topic)),
    );
    await clock.advance(1_000);
    manager.refuse = (selection) => (selection.selector.kind === 'stage' ? throttled() : undefined);
    manager.set('a', 'v3');
    await clock.advance(32_000);
    expect(topics.map((topic) => show(source.read(topic)))).toEqual(['v2', 'v1']);
    manager.refuse = () => undefined;
    await clock.advance(60_000);
    expect(topics.map((topic) => show(source.read(topic)))).toEqual(['v3', 'v2']);
  });
});
