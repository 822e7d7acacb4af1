import { totalmem } from 'node:os';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Clock, sleep } from './clock.ts';

export type { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A registry of its own; the library's global one is never used. */
export function createRegistry(): Registry {
  return new Registry();
}

/** A counter in `registry`. Its name ends with `_total`. `collect`, if given, sets it when the metrics are read. */
export function counter<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
  collect?: (counter: Counter<Label>) => void,
): Counter<Label> {
  const made: Counter<Label> = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(collect && { collect: () => collect(made) }),
  });
  return made;
}

/** A gauge in `registry`. `collect`, if given, sets it when the metrics are read. */
export function gauge<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
  collect?: (gauge: Gauge<Label>) => void,
): Gauge<Label> {
  const made: Gauge<Label> = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(collect && { collect: () => collect(made) }),
  });
  return made;
}

/** A histogram in `registry`. `buckets` are upper bounds in the metric's own unit. */
export function histogram<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  buckets: readonly number[],
): Histogram<Label> {
  return new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [registry] });
}

/**
 * Process metrics under their usual names. They are read when asked for and cost nothing in between; the library's own set
 * would sample the loop a hundred times a second.
 */
export function addProcessMetrics(registry: Registry, clock: Clock): void {
  const startedAt = clock.now() / 1_000 - process.uptime();
  gauge(registry, 'process_start_time_seconds', 'Start time of the process since the epoch in seconds.').set(startedAt);
  counter(registry, 'process_cpu_seconds_total', 'User and system CPU time spent in seconds.', [], (made) => {
    const { user, system } = process.cpuUsage();
    made.reset();
    made.inc((user + system) / 1e6);
  });
  gauge(registry, 'process_resident_memory_bytes', 'Resident memory in bytes.', [], (made) => {
    made.set(process.memoryUsage.rss());
  });
  const limit = 'Memory that the process may take before it is killed, in bytes; 0 where there is no such limit.';
  gauge(registry, 'keyferry_memory_limit_bytes', limit, [], (made) => made.set(memoryLimit()));
  gauge(registry, 'nodejs_heap_size_used_bytes', 'Used heap of the JavaScript engine in bytes.', [], (made) => {
    made.set(process.memoryUsage().heapUsed);
  });
  gauge(registry, 'nodejs_version_info', 'Node.js version.', ['version']).set({ version: process.version }, 1);
}

/** That of the control group. Without one, Node gives 0 or more than any machine has. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > totalmem() ? 0 : limit;
}

/** Milliseconds between two looks at the loop: seldom enough to cost nothing. */
const loopInterval = 500;

/** Watches how late timers fire, until `signal` aborts. The gauge has the longest delay since the metrics were last read. */
export async function watchEventLoop(registry: Registry, clock: Clock, signal: AbortSignal): Promise<void> {
  let longest = 0;
  gauge(
    registry,
    'keyferry_event_loop_delay_seconds',
    'Longest delay of the event loop since the last read.',
    [],
    (made) => {
      made.set(longest / 1_000);
      longest = 0;
    },
  );
  while (!signal.aborted) {
    const before = clock.monotonic();
    await sleep(clock, loopInterval, signal);
    longest = Math.max(longest, clock.monotonic() - before - loopInterval);
  }
}
