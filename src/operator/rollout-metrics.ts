import { rolledKinds } from '../api/v1/rollout.ts';
import type { FinishedRollout } from '../controllers/rollout/finished.ts';
import { counter, gauge, histogram, type Registry } from '../runtime/metrics.ts';

const SECONDS = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** Counts rollouts that ended, and how long those that completed took since their version was seen. */
export function rolloutMetrics(
  registry: Registry,
  waiting: () => number,
): (finished: FinishedRollout, seconds: number | undefined) => void {
  const count = counter(registry, 'keyferry_rollouts_total', 'Rollouts of workloads that ended.', ['kind', 'result']);
  // What was never there would not be seen to grow.
  for (const kind of rolledKinds) {
    for (const result of ['complete', 'failed', 'reverted']) count.inc({ kind, result }, 0);
  }
  const help = 'Seconds from the new content of a Secret to the end of its rollout.';
  const duration = histogram(registry, 'keyferry_rollout_seconds', help, ['kind'], SECONDS);
  gauge(registry, 'keyferry_rollouts_waiting', 'Workloads that wait for others to be rolled out.', [], (made) =>
    made.set(waiting()),
  );
  return ({ kind, result }, seconds) => {
    count.inc({ kind, result });
    if (result === 'complete' && seconds !== undefined) duration.observe({ kind }, seconds);
  };
}
