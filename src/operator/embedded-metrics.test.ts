import { expect, test } from 'vitest';
import type { GateState } from '../controllers/embedded/gate.ts';
import { buildMetadata } from '../controllers/testing/builders.ts';
import {
  toVersionedSecret,
  type VersionedSecret,
  versionedSecretIndexes,
} from '../controllers/versioned-secret/versioned-secret.ts';
import { createStore } from '../kube/store.ts';
import { createRecordingLogger } from '../kube/testing/recording-logger.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { watchEmbeddedSecrets, watchGate } from './embedded-metrics.ts';

function secret(name: string, namespace: string, ready: string, due?: 'True' | 'False'): VersionedSecret {
  const condition = { message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  return toVersionedSecret({
    metadata: buildMetadata({ name, namespace, uid: name }),
    spec: due === undefined ? {} : { rotateAfter: '1d' },
    status: {
      latest: 1,
      versions: [{ version: 1, state: 'Enabled', uid: 'u', key: 'k', digest: 'd', createdAt: '2025-12-31T23:00:00Z' }],
      conditions: [
        { type: 'Ready', status: 'True', reason: ready, ...condition },
        ...(due === undefined ? [] : [{ type: 'RotationDue', status: due, reason: 'x', ...condition }]),
      ],
    },
  });
}

test('embedded secrets are counted by namespace and state, and never by name', async () => {
  const secrets = createStore<VersionedSecret>({ logger: createRecordingLogger(), indexes: versionedSecretIndexes });
  const registry = createRegistry();
  watchEmbeddedSecrets(registry, secrets, createFakeClock());
  secrets
    .writer()
    .replace(
      [
        secret('hidden-a', 'shop', 'Available', 'True'),
        secret('hidden-b', 'shop', 'Available'),
        secret('hidden-c', 'shop', 'Empty'),
        secret('hidden-d', 'org', 'Available', 'False'),
      ],
      true,
    );

  const text = await registry.metrics();

  expect(text).toContain('keyferry_embedded_secrets{secret_namespace="shop",state="Available"} 2');
  expect(text).toContain('keyferry_embedded_secrets{secret_namespace="shop",state="Empty"} 1');
  expect(text).toContain('keyferry_embedded_rotation_due{secret_namespace="shop"} 1');
  expect(text).toContain('keyferry_embedded_rotation_due{secret_namespace="org"} 0');
  expect(text).toContain('keyferry_embedded_oldest_latest_age_seconds{secret_namespace="shop"} 3600');
  expect(text).not.toContain('hidden');
});

test('the gate is told as it is when the metrics are read', async () => {
  const registry = createRegistry();
  let state: GateState = { open: false, message: 'missing' };
  watchGate(registry, { state: () => state });
  expect(await registry.metrics()).toContain('keyferry_embedded_gate_open 0');

  state = { open: true };

  expect(await registry.metrics()).toContain('keyferry_embedded_gate_open 1');
});
