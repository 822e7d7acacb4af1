import { describe, expect, it } from 'vitest';
import { createFakeClock } from './fake-clock.ts';
import { addProcessMetrics, createRegistry, watchEventLoop } from './metrics.ts';

describe('the metrics', () => {
  it('are kept apart between registries', async () => {
    const registry = createRegistry();
    addProcessMetrics(registry, createFakeClock());
    expect(await createRegistry().metrics()).not.toContain('process_');
  });

  it('have those of the process under their usual names', async () => {
    const registry = createRegistry();
    addProcessMetrics(registry, createFakeClock());
    const text = await registry.metrics();
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
    expect(text).toMatch(/^nodejs_heap_size_used_bytes [1-9]\d+$/m);
    expect(text).toMatch(/^# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total [\d.e-]+$/m);
    expect(text).toMatch(/^keyferry_memory_limit_bytes \d+$/m);
    expect(text).toMatch(/^process_start_time_seconds \d+/m);
  });

  it('show the longest delay of the loop since they were last read', async () => {
    const registry = createRegistry();
    const clock = createFakeClock();
    const stop = new AbortController();
    let late = 0;
    const lateClock = { ...clock, monotonic: () => clock.monotonic() + late };
    const watched = watchEventLoop(registry, lateClock, stop.signal);
    await clock.advance(400);
    late = 250;
    await clock.advance(1_000);
    const read = async (): Promise<string> => registry.getSingleMetricAsString('keyferry_event_loop_delay_seconds');
    expect(await read()).toMatch(/ 0\.25$/);
    expect(await read()).toMatch(/ 0$/);
    stop.abort();
    await watched;
    expect(clock.pending()).toBe(0);
  });
});
