import { expect, test } from 'vitest';
import {
  type ManagerObject,
  toClusterSecretManager,
  toSecretManager,
} from '../controllers/secret-manager/manager-object.ts';
import { buildMetadata } from '../controllers/testing/builders.ts';
import { createStore } from '../kube/store.ts';
import { createRecordingLogger } from '../kube/testing/recording-logger.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { watchManagers } from './manager-metrics.ts';

function ready(status: 'True' | 'False', reason: string): object {
  return { conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:10Z' }] };
}

test('managers are told by their keys: whether they are ready, and if not, since when and why', async () => {
  const store = createStore<ManagerObject>({ logger: createRecordingLogger() });
  const registry = createRegistry();
  watchManagers(registry, [store]);
  const cluster = (name: string, spec: object, status: object): ManagerObject =>
    toClusterSecretManager({ metadata: buildMetadata({ name, namespace: '', uid: name }), spec, status });
  const access = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];
  const own = { aws: { region: 'eu-west-1', auth: { secretRef: { name: 'aws-keys' } } } };
  store
    .writer()
    .replace(
      [
        cluster('default', { embedded: {} }, ready('True', 'Ready')),
        cluster('aws', { aws: {}, access }, ready('False', 'Throttled')),
        toSecretManager({ metadata: buildMetadata({ name: 'team', uid: 'team' }), spec: own, status: {} }),
      ],
      true,
    );

  const text = await registry.metrics();

  expect(text).toContain('keyferry_manager_ready{manager="ClusterSecretManager/default",backend="embedded"} 1');
  expect(text).toContain('keyferry_manager_ready{manager="ClusterSecretManager/aws",backend="aws"} 0');
  expect(text).toContain('keyferry_manager_ready{manager="SecretManager/shop/team",backend="aws"} 0');
  expect(text.match(/^keyferry_manager_not_ready_since_seconds\{.*$/gm)).toEqual([
    'keyferry_manager_not_ready_since_seconds{manager="ClusterSecretManager/aws",reason="Throttled"} 1767225610',
  ]);
});
