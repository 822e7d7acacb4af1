import { z } from 'zod';
import { createStore } from '../../src/kube/store.ts';
import { createRecordingLogger } from '../../src/kube/testing/recording-logger.ts';
import { clientMetrics } from '../../src/operator/client-metrics.ts';
import { watchEmbeddedSecrets, watchGate } from '../../src/operator/embedded-metrics.ts';
import { watchManagers } from '../../src/operator/manager-metrics.ts';
import { countRecords, watchLeadership, watchProcess } from '../../src/operator/operator-metrics.ts';
import { watchReferenceCounts } from '../../src/operator/reference-metrics.ts';
import { rolloutMetrics } from '../../src/operator/rollout-metrics.ts';
import { sourceMetrics } from '../../src/operator/source-metrics.ts';
import { createControllerMetrics } from '../../src/runtime/controller-metrics.ts';
import { createFakeClock } from '../../src/runtime/fake-clock.ts';
import { healthy } from '../../src/runtime/health.ts';
import { leadAlone } from '../../src/runtime/lifecycle.ts';
import { addProcessMetrics, createRegistry } from '../../src/runtime/metrics.ts';

const metricSchema = z.looseObject({ name: z.string(), labelNames: z.array(z.string()) });

/** The labels of the operator's metrics by their names, as the operator's own code makes them. */
export function madeMetrics(): ReadonlyMap<string, readonly string[]> {
  const registry = createRegistry();
  const clock = createFakeClock();
  const logger = createRecordingLogger();
  watchProcess(registry, '0', () => healthy);
  watchLeadership(registry, 'lease', leadAlone);
  countRecords(registry, { record: () => Promise.resolve() });
  watchManagers(registry, []);
  watchReferenceCounts(registry, createStore({ logger }));
  watchEmbeddedSecrets(registry, createStore({ logger }), clock);
  watchGate(registry, { state: () => ({ open: true }) });
  rolloutMetrics(registry, () => 0);
  sourceMetrics(registry);
  clientMetrics(registry);
  createControllerMetrics(registry);
  addProcessMetrics(registry, clock);
  const made = z.array(metricSchema).parse(registry.getMetricsAsArray());
  return new Map(made.map(({ name, labelNames }) => [name, labelNames]));
}
