import { expect, test } from 'vitest';
import { createStore } from '../../kube/store.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { createControllerMetrics } from '../../runtime/controller-metrics.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createRegistry } from '../../runtime/metrics.ts';
import type { GateState } from '../embedded/gate.ts';
import { buildMetadata } from '../testing/builders.ts';
import { createRecordingClient } from '../testing/recording-client.ts';
import { createRevealController } from './controller.ts';
import { type Reveal, toReveal } from './reveal.ts';
import { buildSecret, buildSpec } from './testing/builders.ts';

test('a reveal that waits for the policies is answered when they are seen, counted, and deleted in time', async () => {
  const clock = createFakeClock();
  const registry = createRegistry();
  const logger = createRecordingLogger();
  const metadata = buildMetadata({ name: 'ask' });
  const client = createRecordingClient(() => ({ metadata, spec: {} }));
  const reveals = createStore<Reveal>({ logger });
  const state: { gate: GateState; tell: () => void } = {
    gate: { open: false, message: 'not yet', unsure: true },
    tell: () => undefined,
  };
  const controller = createRevealController({
    client,
    reveals,
    gate: { confirm: () => Promise.resolve(state.gate), onChange: (listener) => (state.tell = listener) },
    authorizer: { mayDo: () => Promise.resolve(false) },
    backend: { findObject: () => buildSecret(), open: () => Promise.resolve(SecretValue.fromString('v')) },
    audit: { record: () => Promise.resolve() },
    ttl: 60_000,
    clock,
    random: () => 0.5,
    logger,
    registry,
    metrics: createControllerMetrics(registry),
  });
  const stop = new AbortController();
  const ended = controller.run(stop.signal);

  const writer = reveals.writer();
  writer.put(toReveal({ metadata, spec: buildSpec() }));
  await clock.flush();
  expect(client.calls).toEqual([]);
  state.gate = { open: true };
  state.tell();
  await clock.flush();
  expect(client.calls.map(({ verb }) => verb)).toEqual(['apply']);
  const settled = { ...metadata, resourceVersion: '2' };
  writer.put(toReveal({ metadata: settled, spec: buildSpec(), status: { state: 'Refused' } }));
  await clock.advance(60_000);

  expect(client.calls.map(({ verb }) => verb)).toEqual(['apply', 'delete']);
  expect(await registry.metrics()).toContain('keyferry_reveals_total{result="NotAllowed"} 1');
  stop.abort();
  await ended;
});
