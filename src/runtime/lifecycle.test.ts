import { describe, expect, it } from 'vitest';
import { whenAborted } from './abort.ts';
import { createFakeClock } from './fake-clock.ts';
import { createLifecycle, type Lead, type LifecycleParts, leadAlone, type Workers } from './lifecycle.ts';
import { silentLogger } from './logger.ts';

/** Parts that write down what happens to them. A test lets the caches sync, gives and takes leadership. */
function setUp(overrides: (log: string[]) => Partial<LifecycleParts> = () => ({})) {
  const clock = createFakeClock();
  const log: string[] = [];
  const synced = Promise.withResolvers<void>();
  const elected = Promise.withResolvers<void>();
  const lost = new AbortController();
  const stop = new AbortController();
  const lead: Lead = async (signal, onLeading) => {
    await Promise.race([elected.promise, whenAborted(signal)]);
    if (!signal.aborted) {
      log.push('leading');
      await onLeading(AbortSignal.any([signal, lost.signal]));
    }
    log.push(lost.signal.aborted ? 'lease lost' : 'lease released');
    return lost.signal.aborted ? 'lost' : 'stopped';
  };
  const lifecycle = createLifecycle({
    http: {
      start: async () => void log.push('http started'),
      stop: async () => void log.push('http stopped'),
    },
    caches: {
      run: async (signal) => {
        log.push('caches started');
        await whenAborted(signal);
        log.push('caches stopped');
      },
      whenSynced: () => synced.promise.then(() => void log.push('caches synced')),
    },
    lead,
    workers: [worker(log)],
    clock,
    logger: silentLogger,
    gracePeriod: 25_000,
    ...overrides(log),
  });
  return { clock, log, lifecycle, stop, lost, synced: synced.resolve, elected: elected.resolve };
}

/** A worker that has something in flight for `busy` milliseconds after it was stopped, or for ever. */
function worker(log: string[], busy: Promise<void> = Promise.resolve()): Workers {
  return {
    run: async (stop, abort) => {
      log.push('workers started');
      await whenAborted(stop);
      await Promise.race([busy, whenAborted(abort)]);
      log.push(abort.aborted ? 'workers aborted' : 'workers finished');
    },
  };
}

const started = ['http started', 'caches started', 'caches synced', 'leading', 'workers started'];

describe('a lifecycle', () => {
  it('starts HTTP, caches, leadership and workers, and stops workers, caches, HTTP and leadership, in this order', async () => {
    const { clock, log, lifecycle, stop, synced, elected } = setUp();
    const run = lifecycle.run(stop.signal);
    elected();
    await clock.flush();
    expect(log).toEqual(['http started', 'caches started']);
    synced();
    await clock.flush();
    expect(log).toEqual(started);
    stop.abort();
    expect(await run).toBe('stopped');
    expect(log.slice(started.length)).toEqual(['workers finished', 'caches stopped', 'http stopped', 'lease released']);
    expect(clock.pending()).toBe(0);
  });

  it('starts no worker before it leads', async () => {
    const { clock, log, lifecycle, stop, synced } = setUp();
    const run = lifecycle.run(stop.signal);
    synced();
    await clock.advance(3_600_000);
    expect(log).not.toContain('workers started');
    stop.abort();
    expect(await run).toBe('stopped');
    expect(log).not.toContain('workers started');
  });

  it('is ready from the sync of the caches, also as a standby, until the stop begins', async () => {
    const { clock, lifecycle, stop, synced } = setUp();
    const run = lifecycle.run(stop.signal);
    await clock.flush();
    expect(lifecycle.readiness()).toEqual({ ok: false, message: 'the caches are not synced yet' });
    synced();
    await clock.flush();
    expect(lifecycle.readiness().ok).toBe(true);
    stop.abort();
    await run;
    expect(lifecycle.readiness()).toEqual({ ok: false, message: 'the process is stopping' });
  });

  it('can be stopped while the caches never sync', async () => {
    const { clock, log, lifecycle, stop } = setUp();
    const run = lifecycle.run(stop.signal);
    await clock.flush();
    stop.abort();
    expect(await run).toBe('stopped');
    expect(log).toEqual(['http started', 'caches started', 'caches stopped', 'http stopped']);
  });

  it('gives work in flight its grace period and keeps everything else up for it', async () => {
    const { promise: busy, resolve: finish } = Promise.withResolvers<void>();
    const { clock, log, lifecycle, stop, synced, elected } = setUp((log) => ({ workers: [worker(log, busy)] }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    stop.abort();
    await clock.advance(24_999);
    expect(log).toEqual(started);
    finish();
    expect(await run).toBe('stopped');
    expect(log[started.length]).toBe('workers finished');
  });

  it('aborts work in flight when the grace period is over', async () => {
    const { clock, log, lifecycle, stop, synced, elected } = setUp((log) => ({
      workers: [worker(log, new Promise(() => undefined))],
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    stop.abort();
    await clock.advance(25_000);
    expect(await run).toBe('stopped');
    expect(log[started.length]).toBe('workers aborted');
  });

  it('leaves work behind that does not heed the abort, and never releases the lease beside it', async () => {
    const { clock, log, lifecycle, stop, synced, elected } = setUp(() => ({
      workers: [{ run: () => new Promise(() => undefined) }],
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    stop.abort();
    await clock.advance(60_000);
    expect(await run).toBe('stopped');
    expect(log.slice(-2)).toEqual(['caches stopped', 'http stopped']);
  });

  it('ends with lost leadership, gives the work no grace, and stops the rest', async () => {
    const { clock, log, lifecycle, stop, lost, synced, elected } = setUp((log) => ({
      workers: [worker(log, new Promise(() => undefined))],
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    lost.abort();
    expect(await run).toBe('lost leadership');
    expect(log.slice(started.length).toSorted()).toEqual([
      'caches stopped',
      'http stopped',
      'lease lost',
      'workers aborted',
    ]);
    expect(clock.monotonic()).toBe(0);
  });

  it('ends with lost leadership also when the work does not heed the abort', async () => {
    const { clock, log, lifecycle, stop, lost, synced, elected } = setUp(() => ({
      workers: [{ run: () => new Promise(() => undefined) }],
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    lost.abort();
    await clock.advance(60_000);
    expect(await run).toBe('lost leadership');
    expect(log).toContain('http stopped');
  });

  it('starts no worker when it is elected while it stops', async () => {
    const { clock, log, lifecycle, stop, synced, elected } = setUp((log) => ({
      caches: { run: () => new Promise(() => undefined), whenSynced: async () => void log.push('caches synced') },
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    await clock.flush();
    stop.abort();
    elected();
    await clock.advance(60_000);
    expect(await run).toBe('stopped');
    expect(log).toContain('leading');
    expect(log).not.toContain('workers started');
  });

  it('cuts the grace period short when leadership is lost in it', async () => {
    const { clock, log, lifecycle, stop, lost, synced, elected } = setUp((log) => ({
      workers: [worker(log, new Promise(() => undefined))],
    }));
    const run = lifecycle.run(stop.signal);
    synced();
    elected();
    await clock.flush();
    stop.abort();
    await clock.advance(1_000);
    lost.abort();
    expect(await run).toBe('stopped');
    expect([log[started.length], clock.monotonic()]).toEqual(['workers aborted', 1_000]);
  });

  it('starts nothing when HTTP can not start', async () => {
    const { log, lifecycle, stop } = setUp(() => ({
      http: { start: () => Promise.reject(new Error('port taken')), stop: async () => undefined },
    }));
    await expect(lifecycle.run(stop.signal)).rejects.toThrow('port taken');
    expect(log).toEqual([]);
  });

  it.each<[string, (log: string[]) => Partial<LifecycleParts>, string]>([
    ['the caches fail', (log) => ({ caches: caches(log, Promise.reject(new Error('broken'))) }), 'broken'],
    ['the caches end', (log) => ({ caches: caches(log, Promise.resolve()) }), 'the caches ended without being told to'],
    ['a worker fails', () => ({ workers: [{ run: () => Promise.reject(new Error('broken')) }] }), 'broken'],
    ['a worker ends', () => ({ workers: [{ run: async () => undefined }] }), 'the workers ended without being told to'],
    ['the election fails', () => ({ lead: () => Promise.reject(new Error('broken')) }), 'broken'],
    ['the election ends', () => ({ lead: async () => 'stopped' }), 'the leader election ended without being told to'],
  ])('stops the rest and rejects when %s without being told to', async (_, overrides, message) => {
    const { log, lifecycle, stop, synced, elected } = setUp(overrides);
    synced();
    elected();
    await expect(lifecycle.run(stop.signal)).rejects.toThrow(message);
    expect(log).toContain('http stopped');
  });

  it('works without a server and without an election', async () => {
    const { clock, log, stop } = setUp();
    const lifecycle = createLifecycle({
      caches: { run: whenAborted, whenSynced: async () => undefined },
      lead: leadAlone,
      workers: [worker(log), worker(log)],
      clock,
      logger: silentLogger,
      gracePeriod: 1_000,
    });
    const run = lifecycle.run(stop.signal);
    await clock.flush();
    stop.abort();
    expect(await run).toBe('stopped');
    expect(log).toEqual(['workers started', 'workers started', 'workers finished', 'workers finished']);
  });
});

function caches(log: string[], run: Promise<void>): LifecycleParts['caches'] {
  run.catch(() => log.push('caches failed'));
  return { run: () => run, whenSynced: () => new Promise(() => undefined) };
}
