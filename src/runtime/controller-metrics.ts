import { counter, gauge, histogram, type Registry } from './metrics.ts';
import type { QueueObserver, WorkQueue } from './queue.ts';

/** How a reconcile ended, as the label `result` has it. */
export type ReconcileResult = 'success' | 'requeue_after' | 'error';

/** What one controller and its queue report. Times are milliseconds. */
export interface ControllerObserver {
  readonly queue: QueueObserver;
  /** Tells where to read the queue's gauges from. */
  watch(queue: WorkQueue): void;
  started(): void;
  ended(result: ReconcileResult, took: number): void;
  /** A reconcile failed and is not retried; beside `ended('error', ...)`. */
  gaveUp(): void;
}

/** The metrics of all controllers of a process: make one for each registry. */
export interface ControllerMetrics {
  observe(controller: string, concurrency: number): ControllerObserver;
}

const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 30, 60,
];
const queueBuckets = [0.001, 0.01, 0.1, 1, 10, 100, 1_000];

/** Metrics with the names, labels and meanings that controller-runtime gives them, so that its dashboards and alerts fit. */
export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const reconciles = reconcileMetrics(registry);
  const queues = queueMetrics(registry);
  return {
    observe: (controller, concurrency) => {
      const active = reconciles.active.labels({ controller });
      active.set(0);
      reconciles.most.set({ controller }, concurrency);
      reconciles.errors.inc({ controller }, 0);
      reconciles.terminal.inc({ controller }, 0);
      return {
        ...queues(controller),
        started: () => active.inc(),
        ended: (result, took) => {
          active.dec();
          reconciles.total.inc({ controller, result });
          reconciles.time.observe({ controller }, took / 1_000);
          if (result === 'error') {
            reconciles.errors.inc({ controller });
          }
        },
        gaveUp: () => reconciles.terminal.inc({ controller }),
      };
    },
  };
}

function reconcileMetrics(registry: Registry) {
  const labels = ['controller'] as const;
  return {
    total: counter(registry, 'controller_runtime_reconcile_total', 'Reconciles by result.', ['controller', 'result']),
    errors: counter(registry, 'controller_runtime_reconcile_errors_total', 'Reconciles that failed.', labels),
    terminal: counter(
      registry,
      'controller_runtime_terminal_reconcile_errors_total',
      'Failures that are not retried.',
      labels,
    ),
    time: histogram(
      registry,
      'controller_runtime_reconcile_time_seconds',
      'Time of a reconcile.',
      labels,
      reconcileBuckets,
    ),
    active: gauge(registry, 'controller_runtime_active_workers', 'Workers that are reconciling.', labels),
    most: gauge(registry, 'controller_runtime_max_concurrent_reconciles', 'Workers that there are.', labels),
  };
}

function queueMetrics(registry: Registry): (queue: string) => Pick<ControllerObserver, 'queue' | 'watch'> {
  const labels = ['name'] as const;
  const queues = new Map<string, WorkQueue>();
  const gaugeOf = (name: string, help: string, read: (queue: WorkQueue) => number): void => {
    gauge(registry, `workqueue_${name}`, help, labels, (made) => {
      queues.forEach((queue, name) => made.set({ name }, read(queue)));
    });
  };
  gaugeOf('depth', 'Keys that are ready to be worked on.', (queue) => queue.depth());
  gaugeOf('unfinished_work_seconds', 'Time that the keys in flight have taken so far, in sum.', (queue) => {
    return queue.inFlight().total / 1_000;
  });
  gaugeOf('longest_running_processor_seconds', 'Time that the slowest key in flight has taken so far.', (queue) => {
    return queue.inFlight().longest / 1_000;
  });
  const adds = counter(registry, 'workqueue_adds_total', 'Adds of keys.', labels);
  const retries = counter(registry, 'workqueue_retries_total', 'Retries of keys.', labels);
  const waits = histogram(registry, 'workqueue_queue_duration_seconds', 'Time keys wait.', labels, queueBuckets);
  const works = histogram(registry, 'workqueue_work_duration_seconds', 'Time keys take.', labels, queueBuckets);
  return (name) => {
    retries.inc({ name }, 0);
    return {
      queue: {
        added: () => adds.inc({ name }),
        retried: () => retries.inc({ name }),
        taken: (waited) => waits.observe({ name }, waited / 1_000),
        finished: (worked) => works.observe({ name }, worked / 1_000),
      },
      watch: (queue) => void queues.set(name, queue),
    };
  };
}
