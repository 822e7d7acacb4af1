import { conditionOf } from '../api/v1/conditions.ts';
import type { Reference } from '../controllers/secret-reference/reference.ts';
import type { Store } from '../kube/store.ts';
import { gauge, type Registry } from '../runtime/metrics.ts';

/** Counts the references by what their conditions say, when the metrics are read. */
export function watchReferenceCounts(registry: Registry, references: Store<Reference>): void {
  const help = 'SecretReferences by the reason of their condition Ready.';
  gauge(registry, 'keyferry_references', help, ['ready', 'reason'], (made) => {
    made.reset();
    for (const { status } of references.list()) {
      const ready = conditionOf(status, 'Ready');
      made.inc({ ready: ready?.status ?? 'Unknown', reason: ready?.reason ?? '' });
    }
  });
  gauge(registry, 'keyferry_references_stale', 'SecretReferences whose manager can not be asked.', [], (made) => {
    const stale = references.list().filter(({ status }) => conditionOf(status, 'Stale')?.status === 'True');
    made.set(stale.length);
  });
  const rollouts = 'SecretReferences by the reason of their condition RolledOut.';
  gauge(registry, 'keyferry_references_rolled_out', rollouts, ['reason'], (made) => {
    made.reset();
    for (const { status } of references.list()) {
      const rolledOut = conditionOf(status, 'RolledOut');
      if (rolledOut !== undefined) made.inc({ reason: rolledOut.reason });
    }
  });
}
