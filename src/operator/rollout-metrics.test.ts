import { expect, test } from 'vitest';
import { createRegistry } from '../runtime/metrics.ts';
import { rolloutMetrics } from './rollout-metrics.ts';

test('rollouts that never happened are counted as none, so that the first one is seen to happen', async () => {
  const registry = createRegistry();
  const observe = rolloutMetrics(registry, () => 3);

  observe({ kind: 'Deployment', result: 'failed' }, undefined);

  const text = await registry.metrics();
  expect(text).toContain('keyferry_rollouts_total{kind="Deployment",result="failed"} 1');
  expect(text).toContain('keyferry_rollouts_total{kind="StatefulSet",result="failed"} 0');
  expect(text).toContain('keyferry_rollouts_waiting 3');
});
