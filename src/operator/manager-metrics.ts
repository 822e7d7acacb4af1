import { conditionOf } from '../api/v1/conditions.ts';
import { keyOf, type ManagerObject } from '../controllers/secret-manager/manager-object.ts';
import type { Store } from '../kube/store.ts';
import { backendOf } from '../managers/registry.ts';
import { gauge, type Registry } from '../runtime/metrics.ts';

/** Tells of each manager object what its condition Ready says, when the metrics are read. */
export function watchManagers(registry: Registry, stores: readonly Store<ManagerObject>[]): void {
  const managers = (): readonly ManagerObject[] => stores.flatMap((store) => store.list());
  const help = 'Whether the condition Ready of a manager is True: 1 or 0.';
  gauge(registry, 'keyferry_manager_ready', help, ['manager', 'backend'], (made) => {
    made.reset();
    for (const manager of managers()) {
      const ready = conditionOf(manager.status, 'Ready')?.status === 'True';
      made.set({ manager: keyOf(manager), backend: backendOf(manager.spec) ?? '' }, ready ? 1 : 0);
    }
  });
  const since = 'Since when a manager is not ready, in seconds since the epoch; nothing for one that is.';
  gauge(registry, 'keyferry_manager_not_ready_since_seconds', since, ['manager', 'reason'], (made) => {
    made.reset();
    for (const manager of managers()) {
      const ready = conditionOf(manager.status, 'Ready');
      if (ready === undefined || ready.status === 'True') continue;
      made.set({ manager: keyOf(manager), reason: ready.reason }, Date.parse(ready.lastTransitionTime) / 1_000);
    }
  });
}
