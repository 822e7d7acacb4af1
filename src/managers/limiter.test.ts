import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { createLimiter } from './limiter.ts';
import type { Bench } from './source/source-bench.ts';
import { createBench, value, want } from './source/source-bench.ts';

describe('a limiter', () => {
  it('lets a burst through and then the rate', async () => {
    const clock = createFakeClock();
    const limiter = createLimiter({ clock, rate: 10, burst: 2 });
    limiter.take();
    limiter.take();
    expect(limiter.wait()).toBe(100);
    await clock.advance(100);
    expect(limiter.wait()).toBe(0);
    limiter.take();
    expect(limiter.wait()).toBe(100);
  });

  it('saves up no more than a burst', async () => {
    const clock = createFakeClock();
    const limiter = createLimiter({ clock, rate: 10, burst: 2 });
    await clock.advance(60_000);
    limiter.take();
    limiter.take();
    expect(limiter.wait()).toBe(100);
  });

  it('slows a source down without losing anything', async () => {
    const bench = createBench({}, { rate: 1, burst: 1 });
    subscribeMany(bench, 's', 100);
    await bench.clock.advance(2_500);
    expect(bench.manager.count()).toBe(3);
    await bench.clock.advance(2_000);
    expect(bench.manager.count()).toBe(5);
    expect(bench.told).toHaveLength(100);
  });

  it('lets first syncs go before sweeps', async () => {
    const bench = createBench({}, { rate: 0.2, burst: 10 });
    subscribeMany(bench, 's', 200);
    await bench.clock.advance(60_000);
    subscribeMany(bench, 'new', 20);
    await bench.clock.advance(5_500);
    const last = bench.manager.calls.at(-1)?.selections.map(({ secret }) => secret) ?? [];
    expect(last).toHaveLength(20);
    expect(last.every((secret) => secret.startsWith('new'))).toBe(true);
  });
});

function subscribeMany({ manager, source }: Bench, prefix: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    manager.set(`${prefix}${index}`, 'v1');
    source.subscribe(`${prefix}-ref${index}`, [want(value(`${prefix}${index}`))]);
  }
}
