import { describe, expect, it } from 'vitest';
import { type ControllerOptions, createController, type Reconcile } from './controller.ts';
import { createControllerMetrics } from './controller-metrics.ts';
import { TerminalError } from './errors.ts';
import { createFakeClock } from './fake-clock.ts';
import type { LogFields, Logger } from './logger.ts';
import { createRegistry } from './metrics.ts';
import { requestKey } from './request.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function memoryLogger(lines: Line[], own: LogFields = {}): Logger {
  const at = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields: { ...own, ...fields } });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => memoryLogger(lines, { ...own, ...fields }),
  };
}

function setUp(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = createFakeClock();
  const registry = createRegistry();
  const lines: Line[] = [];
  const stop = new AbortController();
  const abort = new AbortController();
  const controller = createController({
    name: 'test',
    reconcile,
    clock,
    random: () => 0.5,
    logger: memoryLogger(lines),
    metrics: createControllerMetrics(registry),
    ...options,
  });
  let ended = false;
  const run = (): Promise<void> => controller.run(stop.signal, abort.signal).then(() => void (ended = true));
  return { clock, registry, lines, stop, abort, controller, run, ended: () => ended };
}

const a = { namespace: 'shop', name: 'a' };
const b = { namespace: 'shop', name: 'b' };

function forever(): Promise<never> {
  return new Promise<never>(() => undefined);
}

/** Rejects when `signal` aborts, as a reconcile does that heeds it. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('gave up')));
  });
}

async function metricsOf(registry: ReturnType<typeof createRegistry>): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('a controller', () => {
  it('reconciles what was enqueued before it ran and after', async () => {
    const seen: string[] = [];
    const { clock, controller, run } = setUp(async (request) => {
      seen.push(requestKey(request));
      return {};
    });
    controller.enqueue(a, 'low');
    void run();
    await clock.flush();
    controller.enqueue({ namespace: '', name: 'cluster-wide' });
    await clock.flush();
    expect(seen).toEqual(['shop/a', '/cluster-wide']);
  });

  it('reconciles again after the time that the reconcile asks for', async () => {
    let runs = 0;
    const { clock, controller, run } = setUp(async () => {
      runs += 1;
      return runs === 1 ? { requeueAfter: 1_000 } : {};
    });
    controller.enqueue(a);
    void run();
    await clock.advance(999);
    expect(runs).toBe(1);
    await clock.advance(10_000);
    expect(runs).toBe(2);
  });

  it('retries whatever is thrown with a growing backoff, and starts anew after a success', async () => {
    const times: number[] = [];
    const { clock, controller, run } = setUp(async () => {
      times.push(clock.monotonic());
      if (times.length === 1) {
        // oxlint-disable-next-line typescript/only-throw-error -- any thrown thing must be survived
        throw 'a string';
      }
      if (times.length !== 4) {
        throw new Error('not yet');
      }
      return {};
    });
    controller.enqueue(a);
    void run();
    await clock.advance(1_000);
    expect(times).toEqual([0, 3.75, 11.25, 26.25]);
    controller.enqueue(a);
    await clock.advance(3.75);
    expect(times.slice(4)).toEqual([1_000, 1_003.75]);
  });

  it('survives a reconcile that throws before it gives a promise', async () => {
    let runs = 0;
    const { clock, controller, run } = setUp(() => {
      runs += 1;
      throw new TerminalError('at once');
    });
    controller.enqueue(a);
    void run();
    await clock.flush();
    controller.enqueue(b);
    await clock.flush();
    expect(runs).toBe(2);
  });

  it('does not retry a terminal error until the request is enqueued again', async () => {
    let runs = 0;
    const { clock, controller, run, lines } = setUp(async () => {
      runs += 1;
      throw new TerminalError('the spec is wrong');
    });
    controller.enqueue(a);
    void run();
    await clock.advance(600_000);
    expect(runs).toBe(1);
    controller.enqueue(a);
    await clock.flush();
    expect(runs).toBe(2);
    expect(lines[0]).toMatchObject({
      level: 'error',
      fields: { error: 'TerminalError: the spec is wrong', name: 'a' },
    });
  });

  it('security rule 16: logs a failure without the message of a foreign error', async () => {
    const { clock, controller, run, lines } = setUp(async () => {
      throw new SyntaxError('Unexpected token in "hunter2"');
    });
    controller.enqueue(a);
    void run();
    await clock.flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({ controller: 'test', namespace: 'shop', name: 'a', retryInMs: 4 });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('never runs more reconciles at once than its concurrency, nor two of one request', async () => {
    const active = new Map<string, number>();
    const most = { all: 0, one: 0 };
    const { clock, controller, run } = setUp(
      async (request) => {
        const key = requestKey(request);
        active.set(key, (active.get(key) ?? 0) + 1);
        most.one = Math.max(most.one, ...active.values());
        most.all = Math.max(
          most.all,
          [...active.values()].reduce((sum, count) => sum + count, 0),
        );
        await new Promise<void>((resolve) => void clock.after(10, resolve));
        active.set(key, (active.get(key) ?? 0) - 1);
        return {};
      },
      { concurrency: 3 },
    );
    void run();
    for (let turn = 0; turn < 10; turn += 1) {
      for (let request = 0; request < 5; request += 1) {
        controller.enqueue({ namespace: 'n', name: String(request) });
      }
      await clock.advance(3);
    }
    expect(most).toEqual({ all: 3, one: 1 });
  });

  it('aborts a reconcile at its deadline and retries it', async () => {
    const reasons: unknown[] = [];
    const { clock, controller, run, lines } = setUp(
      async (_, signal) => {
        await untilAborted(signal).catch(() => reasons.push(signal.reason));
        throw signal.reason;
      },
      { deadline: 5_000 },
    );
    controller.enqueue(a);
    void run();
    await clock.advance(4_999);
    expect(reasons).toHaveLength(0);
    await clock.advance(5_010);
    expect(reasons).toHaveLength(2);
    expect(lines[0]?.fields).toMatchObject({ error: 'DeadlineError: the reconcile took longer than 5s' });
  });

  it('is unhealthy within a minute when a reconcile ignores its deadline, and not before the deadline', async () => {
    const { clock, controller, run } = setUp(forever, { deadline: 5_000 });
    controller.enqueue(a);
    void run();
    await clock.advance(5_000);
    expect(controller.health()).toEqual({ ok: true, message: '' });
    await clock.advance(60_000);
    expect(controller.health()).toEqual({
      ok: false,
      message: 'a reconcile of test has run for 1m5s and ignores its deadline of 5s',
    });
  });

  it('is healthy when it has nothing to do for long', async () => {
    const { clock, controller, run } = setUp(async () => ({}));
    controller.enqueue(a);
    void run();
    await clock.advance(3_600_000);
    expect(controller.health().ok).toBe(true);
  });
});

describe('a controller that is stopped', () => {
  it('lets what is in flight finish, starts nothing more, and then resolves', async () => {
    const seen: string[] = [];
    const { clock, controller, run, stop, ended } = setUp(
      async (request, signal) => {
        await new Promise<void>((resolve) => void clock.after(100, resolve));
        seen.push(`${request.name} ${signal.aborted}`);
        return { requeueAfter: 1 };
      },
      { concurrency: 1 },
    );
    controller.enqueue(a);
    controller.enqueue(b);
    const done = run();
    await clock.advance(50);
    stop.abort();
    await clock.advance(49);
    expect(ended()).toBe(false);
    await clock.advance(1_000);
    await done;
    expect(seen).toEqual(['a false']);
    expect(clock.pending()).toBe(0);
  });

  it('aborts what is in flight when it is told to, and does not call that a failure to retry', async () => {
    const { clock, controller, run, stop, abort, lines } = setUp((_, signal) => untilAborted(signal));
    controller.enqueue(a);
    const done = run();
    await clock.flush();
    stop.abort();
    await clock.flush();
    expect(lines).toHaveLength(0);
    abort.abort();
    await done;
    expect(lines.map((line) => line.level)).toEqual(['info']);
  });

  it('ends at once when it was stopped before it ran', async () => {
    const { controller, run, stop, ended } = setUp(forever);
    controller.enqueue(a);
    stop.abort();
    await run();
    expect(ended()).toBe(true);
  });
});

describe('the metrics of a controller', () => {
  it('have the names and labels of controller-runtime', async () => {
    let runs = 0;
    const { clock, controller, run, registry } = setUp(
      async (request) => {
        if (request.name === 'slow') {
          return forever();
        }
        runs += 1;
        if (runs === 1) {
          throw new Error('once');
        }
        return runs === 2 ? { requeueAfter: 60_000 } : {};
      },
      { concurrency: 1 },
    );
    controller.enqueue(a);
    void run();
    await clock.advance(100);
    controller.enqueue(a);
    await clock.advance(100);
    controller.enqueue({ namespace: '', name: 'slow' });
    controller.enqueue(b);
    await clock.advance(2_000);
    const lines = await metricsOf(registry);
    expect(lines).toEqual(
      expect.arrayContaining([
        'controller_runtime_reconcile_total{controller="test",result="error"} 1',
        'controller_runtime_reconcile_total{controller="test",result="requeue_after"} 1',
        'controller_runtime_reconcile_total{controller="test",result="success"} 1',
        'controller_runtime_reconcile_errors_total{controller="test"} 1',
        'controller_runtime_reconcile_time_seconds_count{controller="test"} 3',
        'controller_runtime_active_workers{controller="test"} 1',
        'controller_runtime_max_concurrent_reconciles{controller="test"} 1',
        'workqueue_depth{name="test"} 1',
        'workqueue_adds_total{name="test"} 5',
        'workqueue_retries_total{name="test"} 1',
        'workqueue_queue_duration_seconds_count{name="test"} 4',
        'workqueue_work_duration_seconds_count{name="test"} 3',
        'workqueue_unfinished_work_seconds{name="test"} 2',
        'workqueue_longest_running_processor_seconds{name="test"} 2',
      ]),
    );
  });

  it('are there before anything happened, so that a rate can be taken of the first', async () => {
    const { registry } = setUp(async () => ({}));
    const lines = await metricsOf(registry);
    expect(lines).toEqual(
      expect.arrayContaining([
        'controller_runtime_reconcile_errors_total{controller="test"} 0',
        'controller_runtime_terminal_reconcile_errors_total{controller="test"} 0',
        'workqueue_retries_total{name="test"} 0',
      ]),
    );
  });

  it('count failures that are not retried', async () => {
    const { clock, controller, run, registry } = setUp(async () => {
      throw new TerminalError('no');
    });
    controller.enqueue(a);
    void run();
    await clock.flush();
    const lines = await metricsOf(registry);
    expect(lines).toContain('controller_runtime_terminal_reconcile_errors_total{controller="test"} 1');
  });

  it('are shared by several controllers of a registry', async () => {
    const registry = createRegistry();
    const metrics = createControllerMetrics(registry);
    const one = setUp(async () => ({}), { name: 'one', metrics });
    setUp(async () => ({}), { name: 'two', metrics });
    one.controller.enqueue(a);
    const lines = await metricsOf(registry);
    expect(lines).toEqual(expect.arrayContaining(['workqueue_depth{name="one"} 1', 'workqueue_depth{name="two"} 0']));
  });
});
