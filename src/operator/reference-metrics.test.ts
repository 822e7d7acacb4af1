import { expect, test } from 'vitest';
import type { Reference } from '../controllers/secret-reference/reference.ts';
import { buildReference } from '../controllers/testing/builders.ts';
import { createStore } from '../kube/store.ts';
import { createRecordingLogger } from '../kube/testing/recording-logger.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { watchReferenceCounts } from './reference-metrics.ts';

function reference(name: string, conditions: Readonly<Record<string, readonly ['True' | 'False', string]>>): Reference {
  const list = Object.entries(conditions).map(([type, [status, reason]]) => {
    return { type, status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  });
  return buildReference({ metadata: { name, uid: name }, status: { conditions: list } });
}

test('references are counted by the reasons of their conditions, and never by name', async () => {
  const store = createStore<Reference>({ logger: createRecordingLogger() });
  const registry = createRegistry();
  watchReferenceCounts(registry, store);
  store
    .writer()
    .replace(
      [
        reference('hidden-a', { Ready: ['True', 'Synced'], RolledOut: ['True', 'Complete'] }),
        reference('hidden-b', { Ready: ['True', 'Synced'], RolledOut: ['False', 'Reverted'] }),
        reference('hidden-c', { Ready: ['True', 'Synced'], Stale: ['True', 'Throttled'] }),
        reference('hidden-d', { Ready: ['False', 'SecretNotFound'] }),
      ],
      true,
    );

  const text = await registry.metrics();

  expect(text).toContain('keyferry_references{ready="True",reason="Synced"} 3');
  expect(text).toContain('keyferry_references{ready="False",reason="SecretNotFound"} 1');
  expect(text).toContain('keyferry_references_stale 1');
  expect(text.match(/^keyferry_references_rolled_out\{.*$/gm)).toEqual([
    'keyferry_references_rolled_out{reason="Complete"} 1',
    'keyferry_references_rolled_out{reason="Reverted"} 1',
  ]);
  expect(text).not.toContain('hidden');
});
