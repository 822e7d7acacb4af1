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

const metadata = buildMetadata({ name: 'ask' });

function setUp(gate: GateState) {
  const clock = createFakeClock();
  const registry = createRegistry();
  const logger = createRecordingLogger();
  const client = createRecordingClient(() => ({ metadata, spec: {} }));
  const reveals = createStore<Reveal>({ logger });
  const state: { gate: GateState; tell: () => void } = { gate, tell: () => undefined };
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
  return { clock, registry, client, state, controller, writer: reveals.writer() };
}

test('a reveal that waits for the policies is answered when they are seen, counted, and deleted in time', async () => {
  const { clock, registry, client, state, controller, writer } = setUp({
    open: false,
    message: 'not yet',
    unsure: true,
  });
  const stop = new AbortController();
  const ended = controller.run(stop.signal);

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

test('who asks for many at once does not have others wait', async () => {
  const { clock, client, controller, writer } = setUp({ open: true });
  const stop = new AbortController();
  const ask = (name: string, requestedBy: string): void =>
    writer.put(toReveal({ metadata: buildMetadata({ name, uid: name }), spec: { ...buildSpec(), requestedBy } }));
  for (let index = 0; index < 50; index += 1) ask(`crowd-${index}`, 'mallory');
  ask('mine', 'ada');

  const ended = controller.run(stop.signal);
  await clock.flush();

  const order = client.calls.filter(({ verb }) => verb === 'apply').map(({ object }) => object.split('/').at(-1));
  expect(order).toHaveLength(51);
  expect(order.indexOf('mine')).toBeLessThan(20);
  stop.abort();
  await ended;
});
