import { describe, expect, it } from 'vitest';
import { ManagerError } from './errors.ts';
import type { FindTopic } from './source/topics.ts';
import type { Bench } from './source/source-bench.ts';
import { createBench, throttled, want } from './source/source-bench.ts';

const TAGS = { team: 'shop' };
const SWEEP = 32_000;

function find(known: readonly string[] = [], prefix = 'app/'): FindTopic {
  return { kind: 'find', query: { prefix, tags: new Map(Object.entries(TAGS)) }, known };
}

function names({ source }: Bench, topic: FindTopic): readonly string[] | string {
  const reading = source.read(topic);
  return reading.state === 'known' ? reading.result.map((each) => each.secret) : reading.state;
}

/** A source that found app/a and app/b; app/c lacks the tag. */
async function benchWithFind(topic = find()): Promise<Bench> {
  const bench = createBench();
  for (const name of ['app/a', 'app/b', 'app/c']) {
    bench.manager.set(name, 'v1');
    bench.manager.tag(name, name === 'app/c' ? {} : TAGS);
  }
  bench.source.subscribe('ref', [want(topic)]);
  await bench.clock.advance(1_000);
  return bench;
}

describe('find', () => {
  it('shows the secrets that match, in order, with one call at each poll', async () => {
    const bench = await benchWithFind();
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
    await bench.clock.advance(300_000);
    expect(bench.manager.count('list')).toBeGreaterThanOrEqual(9);
    expect(bench.manager.count('list')).toBeLessThanOrEqual(12);
    expect(bench.manager.count('describe')).toBe(0);
    expect(bench.told).toEqual(['ref']);
  });

  it('is shared by all who ask the same, whatever their targets hold', async () => {
    const bench = await benchWithFind();
    bench.source.subscribe('other', [want(find(['app/a']))]);
    await bench.clock.advance(1_000);
    expect(names(bench, find(['app/a']))).toEqual(['app/a', 'app/b']);
    expect(bench.manager.count('list')).toBe(1);
  });

  it('tells of a secret that came', async () => {
    const bench = await benchWithFind();
    bench.manager.set('app/d', 'v1');
    bench.manager.tag('app/d', TAGS);
    await bench.clock.advance(SWEEP);
    expect(names(bench, find())).toEqual(['app/a', 'app/b', 'app/d']);
    expect(bench.told).toEqual(['ref', 'ref']);
  });

  it('keeps what a list left out, because it looks at it directly', async () => {
    const bench = await benchWithFind();
    bench.manager.unlisted.add('app/a');
    await bench.clock.advance(SWEEP);
    expect(bench.manager.count('describe')).toBe(1);
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
    expect(bench.told).toEqual(['ref']);
  });

  it('drops what does not exist, and what no longer matches', async () => {
    const bench = await benchWithFind();
    bench.manager.delete('app/a');
    await bench.clock.advance(SWEEP);
    expect(names(bench, find())).toEqual(['app/b']);
    bench.manager.tag('app/b', { team: 'shopping' });
    await bench.clock.advance(SWEEP);
    expect(names(bench, find())).toEqual([]);
  });

  it('keeps what it may not look at', async () => {
    const bench = await benchWithFind();
    bench.manager.unlisted.add('app/a');
    bench.manager.fault = ({ kind }) => (kind === 'describe' ? new ManagerError('AccessDenied', 'no') : undefined);
    await bench.clock.advance(5 * SWEEP);
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
  });

  it('keeps everything when a look fails, and says that it is in trouble', async () => {
    const bench = await benchWithFind();
    bench.manager.delete('app/a');
    bench.manager.fault = ({ kind }) => (kind === 'describe' ? throttled() : undefined);
    await bench.clock.advance(5 * SWEEP);
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
    expect(bench.source.read(find())).toMatchObject({ trouble: { stale: true } });
    bench.manager.fault = () => undefined;
    await bench.clock.advance(2 * SWEEP);
    expect(names(bench, find())).toEqual(['app/b']);
  });

  it('keeps everything when the list fails', async () => {
    const bench = await benchWithFind();
    bench.manager.fault = ({ kind }) => (kind === 'list' ? throttled() : undefined);
    await bench.clock.advance(5 * SWEEP);
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
  });

  it('looks at names that only the target holds before it says anything', async () => {
    const topic = find(['app/a', 'app/lagging', 'app/deleted', 'elsewhere']);
    const bench = createBench();
    bench.manager.set('app/lagging', 'v1');
    bench.manager.tag('app/lagging', TAGS);
    bench.manager.unlisted.add('app/lagging');
    bench.manager.set('app/a', 'v1');
    bench.manager.tag('app/a', TAGS);
    bench.source.subscribe('ref', [want(topic)]);
    expect(names(bench, topic)).toBe('pending');
    await bench.clock.advance(1_000);
    expect(names(bench, topic)).toEqual(['app/a', 'app/lagging']);
    expect(bench.manager.count('describe')).toBe(2);
  });

  it('waits for a look at a name that a later subscriber brings, and calls it back', async () => {
    const bench = await benchWithFind();
    bench.told.length = 0;
    bench.source.subscribe('other', [want(find(['app/deleted']))]);
    expect(names(bench, find(['app/deleted']))).toBe('pending');
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
    await bench.clock.advance(1_000);
    expect(names(bench, find(['app/deleted']))).toEqual(['app/a', 'app/b']);
    expect(bench.told).toContain('other');
  });

  it('shows a name that could not be looked at only to those who hold it', async () => {
    const bench = await benchWithFind();
    bench.manager.fault = ({ kind }) => (kind === 'describe' ? new ManagerError('AccessDenied', 'no') : undefined);
    bench.source.subscribe('other', [want(find(['app/mine']))]);
    await bench.clock.advance(1_000);
    expect(names(bench, find(['app/mine']))).toEqual(['app/a', 'app/b', 'app/mine']);
    expect(names(bench, find())).toEqual(['app/a', 'app/b']);
  });

  it('does not hold up values when its lists hang', async () => {
    const bench = createBench();
    bench.manager.latency = ({ kind }) => (kind === 'list' ? 20_000 : 10);
    bench.manager.set('app/a', 'v1');
    for (let index = 0; index < 10; index += 1) {
      bench.source.subscribe(`find${index}`, [want(find([], `app${index}/`))]);
    }
    bench.source.subscribe('ref', [want({ kind: 'value', secret: 'app/a', selector: { kind: 'latest' } })]);
    await bench.clock.advance(1_000);
    expect(bench.told).toEqual(['ref']);
  });
});

describe('versions', () => {
  it('shows the versions of a secret and tells of new ones', async () => {
    const bench = createBench();
    bench.manager.set('a', 'v1');
    bench.source.subscribe('ref', [want({ kind: 'versions', secret: 'a' })]);
    await bench.clock.advance(1_000);
    bench.manager.set('a', 'v2');
    await bench.clock.advance(SWEEP);
    const reading = bench.source.read({ kind: 'versions', secret: 'a' });
    expect(reading.state === 'known' && reading.result.map((each) => each.version)).toEqual(['v2', 'v1']);
    expect(bench.told).toEqual(['ref', 'ref']);
    expect(bench.source.usage()).toEqual({ secrets: 1, subscribers: 1 });
  });

  it('says that a secret does not exist, and asks again soon', async () => {
    const bench = createBench();
    bench.source.subscribe('ref', [want({ kind: 'versions', secret: 'a' })]);
    await bench.clock.advance(1_000);
    expect(bench.source.read({ kind: 'versions', secret: 'a' })).toMatchObject({ error: { reason: 'SecretNotFound' } });
    bench.manager.set('a', 'v1');
    await bench.clock.advance(2_000);
    expect(bench.source.read({ kind: 'versions', secret: 'a' })).toMatchObject({ state: 'known' });
  });
});
