import { describe, expect, it } from 'vitest';
import { createBench, show, stage, unavailable, value, want } from './source/source-bench.ts';

describe('refresh', () => {
  it('again and again by one subscriber does not keep the changes of others from being seen', async () => {
    const { source, manager, clock } = createBench({}, { rate: 1, burst: 1 });
    const names = Array.from({ length: 200 }, (_, index) => `greedy${index}`);
    for (const name of ['a', ...names]) manager.set(name, 'v1');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(5_000);
    source.subscribe(
      'greedy',
      names.map((name) => want(value(name, { kind: 'version', version: 'v1' }))),
    );
    manager.set('a', 'v2');

    for (let second = 0; second < 60; second += 1) {
      source.refresh('greedy', `token ${second}`);
      await clock.advance(1_000);
    }

    expect(show(source.read(value('a')))).toBe('v2');
  });

  it('asks again for everything that the subscriber wants, once, and calls it back', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    manager.set('b', 'v1');
    source.subscribe('ref', [want(value('a')), want(value('b'))]);
    await clock.advance(1_000);
    told.length = 0;
    manager.set('a', 'v2');
    expect(source.refresh('ref', 'now')).toBe('pending');
    expect(source.refresh('ref', 'now')).toBe('pending');
    await clock.advance(200);
    expect(show(source.read(value('a')))).toBe('v2');
    expect(source.refresh('ref', 'now')).toBe('done');
    expect(told).toEqual(['ref']);
    expect(manager.count()).toBe(2);
  });

  it('calls back although nothing changed', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    source.refresh('ref', 'one');
    await clock.advance(200);
    source.refresh('ref', 'two');
    await clock.advance(200);
    expect(told).toEqual(['ref', 'ref', 'ref']);
    expect(manager.count()).toBe(3);
  });

  it('is not done by an answer that was asked for before it', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.latency = () => 1_000;
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(500);
    manager.set('a', 'v2');
    source.refresh('ref', 'now');
    await clock.advance(600);
    expect(show(source.read(value('a')))).toBe('v1');
    expect(source.refresh('ref', 'now')).toBe('pending');
    await clock.advance(1_000);
    expect(show(source.read(value('a')))).toBe('v2');
    expect(source.refresh('ref', 'now')).toBe('done');
  });

  it('is done when the manager fails', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    manager.fault = () => unavailable();
    source.refresh('ref', 'now');
    await clock.advance(200);
    expect(source.refresh('ref', 'now')).toBe('done');
    expect(told).toEqual(['ref', 'ref']);
  });

  it('has nothing to do for a stranger, and is forgotten when the subscriber leaves', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    expect(source.refresh('stranger', 'now')).toBe('done');
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    source.refresh('ref', 'now');
    await clock.advance(200);
    source.subscribe('ref', []);
    source.subscribe('ref', [want(value('a'))]);
    expect(source.refresh('ref', 'now')).toBe('pending');
  });

  it('calls nobody back who left meanwhile', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    source.subscribe('ref', [want(value('a'))]);
    source.subscribe('other', [want(value('a'))]);
    await clock.advance(1_000);
    source.refresh('ref', 'now');
    source.subscribe('ref', []);
    told.length = 0;
    await clock.advance(1_000);
    expect(told).toEqual([]);
  });

  it('waits no longer for what the subscriber dropped', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.latency = ({ selections }) => (selections.some(({ secret }) => secret === 'slow') ? 20_000 : 10);
    source.subscribe('ref', [want(value('a')), want({ kind: 'versions', secret: 'slow' })]);
    await clock.advance(1_000);
    source.refresh('ref', 'now');
    await clock.advance(1_000);
    expect(source.refresh('ref', 'now')).toBe('pending');
    source.subscribe('ref', [want(value('a'))]);
    expect(source.refresh('ref', 'now')).toBe('done');
  });
});

describe('look', () => {
  it('asks at once for the labels and the versions of a secret', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    source.subscribe('one', [want(value('a'))]);
    source.subscribe('two', [want({ kind: 'versions', secret: 'a' })]);
    source.subscribe('three', [want(value('a', { kind: 'version', version: 'v1' }))]);
    await clock.advance(1_000);
    told.length = 0;
    manager.set('a', 'v2');
    source.look('a');
    source.look('a');
    await clock.advance(200);
    expect(told.toSorted()).toEqual(['one', 'two']);
    expect(manager.count('access')).toBe(3);
    expect(manager.count('versions')).toBe(2);
  });

  it('finds a new secret, and does nothing for one that nobody wants', async () => {
    const { source, manager, clock } = createBench();
    const topic = { kind: 'find', query: { prefix: 'app/', tags: new Map() }, known: [] } as const;
    source.subscribe('ref', [want(topic)]);
    await clock.advance(1_000);
    source.look('other');
    await clock.advance(200);
    expect(manager.calls).toHaveLength(1);
    manager.set('app/new', 'v1');
    source.look('app/new');
    await clock.advance(200);
    expect(source.read(topic)).toMatchObject({ state: 'known', result: [{ secret: 'app/new' }] });
  });
});

describe('look at everything', () => {
  it('asks for pinned versions of the secret too, and for lists that have it', async () => {
    const { source, manager, clock } = createBench();
    const pinned = value('app/a', { kind: 'version', version: 'v1' });
    const find = { kind: 'find', query: { prefix: 'app/', tags: new Map() }, known: [] } as const;
    manager.set('app/a', 'v1');
    manager.set('app/b', 'v1');
    source.subscribe('ref', [want(pinned), want(find), want(value('app/b'))]);
    await clock.advance(1_000);
    const before = { access: manager.count('access'), list: manager.count('list') };

    source.look('app/a');
    await clock.advance(200);
    expect([manager.count('access'), manager.count('list')]).toEqual([before.access, before.list]);
    source.look('app/a', 'everything');
    await clock.advance(200);
    expect([manager.count('access'), manager.count('list')]).toEqual([before.access + 1, before.list + 1]);
  });
});

describe('answers that cross', () => {
  it('never put an older answer over a newer one', async () => {
    const { source, manager, clock } = createBench();
    manager.set('a', 'v1');
    manager.latency = () => 10_000;
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(500);
    manager.set('a', 'v2');
    manager.latency = () => 10;
    source.look('a');
    await clock.advance(500);
    expect(show(source.read(value('a')))).toBe('v2');
    await clock.advance(12_000);
    expect(show(source.read(value('a')))).toBe('v2');
  });

  it('never mix labels of two answers, even when a label comes, goes and comes back', async () => {
    const { source, manager, clock } = createBench();
    const both = [want(value('a')), want(stage('a', 'previous'))];
    manager.set('a', 'v1');
    manager.set('a', 'v2');
    const latencies = [3_000, 5_000, 1_000];
    manager.latency = () => latencies.shift() ?? 10;
    source.subscribe('one', [want(value('a'))]);
    source.subscribe('two', both);
    await clock.advance(200);
    source.subscribe('two', []);
    manager.set('a', 'v3');
    source.look('a');
    await clock.advance(200);
    source.subscribe('two', both);
    const pairs = new Set<string>();
    for (let step = 0; step < 100; step += 1) {
      await clock.advance(100);
      pairs.add(both.map(({ topic }) => (topic.kind === 'value' ? show(source.read(topic)) : '')).join(' '));
    }
    expect(
      [...pairs].filter((pair) => !pair.includes('pending')).every((pair) => pair === 'v2 v1' || pair === 'v3 v2'),
    ).toBe(true);
    expect([...pairs].at(-1)).toBe('v3 v2');
  });
});

describe('close', () => {
  it('aborts what is in flight, calls nobody back and leaves no timer', async () => {
    const { source, manager, clock, told } = createBench();
    manager.set('a', 'v1');
    manager.latency = () => 5_000;
    source.subscribe('ref', [want(value('a'))]);
    await clock.advance(500);
    source.close();
    await clock.flush();
    expect(manager.calls[0]?.signal.aborted).toBe(true);
    expect(clock.pending()).toBe(0);
    source.subscribe('ref', [want(value('a'))]);
    source.look('a');
    await clock.advance(600_000);
    expect(told).toEqual([]);
    expect(manager.calls).toHaveLength(1);
    expect(show(source.read(value('a')))).toBe('pending');
  });

  it('ends the calls to subscribers in the middle of a round', async () => {
    const told: string[] = [];
    const bench = createBench({
      onChange: (subscriber) => {
        told.push(subscriber);
        bench.source.close();
      },
    });
    bench.manager.set('a', 'v1');
    bench.source.subscribe('one', [want(value('a'))]);
    bench.source.subscribe('two', [want(value('a'))]);
    await bench.clock.advance(500);
    expect(told).toEqual(['one']);
  });

  it('is survived by a subscriber that throws', async () => {
    const told: string[] = [];
    const bench = createBench({
      onChange: (subscriber) => {
        told.push(subscriber);
        throw new Error('a fault of the subscriber');
      },
    });
    bench.manager.set('a', 'v1');
    bench.source.subscribe('one', [want(value('a'))]);
    bench.source.subscribe('two', [want(value('a'))]);
    await bench.clock.advance(500);
    expect(told).toEqual(['one', 'two']);
  });
});
