import type { SourceCall } from '../managers/source.ts';
import { counter, histogram, type Registry } from '../runtime/metrics.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the backends are asked: the bill, and how they answer. */
export function sourceMetrics(registry: Registry): (managerKey: string, call: SourceCall) => void {
  const labels = ['manager', 'operation', 'result'] as const;
  const calls = counter(registry, 'keyferry_backend_calls_total', 'Calls to secret managers.', labels);
  const help = 'Duration of calls to secret managers in seconds.';
  const seconds = histogram(registry, 'keyferry_backend_call_seconds', help, ['manager', 'operation'], SECONDS);
  return (manager, { kind, result, seconds: duration }) => {
    calls.inc({ manager, operation: kind, result });
    seconds.observe({ manager, operation: kind }, duration);
  };
}
