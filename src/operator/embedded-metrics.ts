import { conditionOf } from '../api/v1/conditions.ts';
import type { PolicyGate } from '../controllers/embedded/gate.ts';
import type { VersionedSecret } from '../controllers/versioned-secret/versioned-secret.ts';
import type { Store } from '../kube/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { gauge, type Registry } from '../runtime/metrics.ts';

/**
 * Counts the embedded secrets when the metrics are read: by namespace, never by name. Their label is not `namespace`: Prometheus has its own of that
 * name, for where the operator runs.
 */
export function watchEmbeddedSecrets(registry: Registry, secrets: Store<VersionedSecret>, clock: Clock): void {
  const states = 'Embedded secrets by the reason of their condition Ready.';
  gauge(registry, 'keyferry_embedded_secrets', states, ['secret_namespace', 'state'], (made) => {
    made.reset();
    for (const { metadata, status } of secrets.list()) {
      made.inc({ secret_namespace: metadata.namespace, state: conditionOf(status, 'Ready')?.reason ?? '' });
    }
  });
  const due = 'Embedded secrets whose latest version is older than their rotateAfter.';
  gauge(registry, 'keyferry_embedded_rotation_due', due, ['secret_namespace'], (made) => {
    made.reset();
    for (const { metadata, status } of secrets.list()) {
      made.inc({ secret_namespace: metadata.namespace }, conditionOf(status, 'RotationDue')?.status === 'True' ? 1 : 0);
    }
  });
  const age = 'Age of the latest version that is oldest, of the secrets that are to be rotated.';
  gauge(registry, 'keyferry_embedded_oldest_latest_age_seconds', age, ['secret_namespace'], (made) => {
    made.reset();
    for (const [secret_namespace, at] of oldestLatest(secrets.list()))
      made.set({ secret_namespace }, (clock.now() - at) / 1_000);
  });
}

/** Whether versions and reveals are taken. A replica that stands by does not know, and says no. */
export function watchGate(registry: Registry, gate: Pick<PolicyGate, 'state'>): void {
  const help = 'Whether the admission policies were seen in force, so that versions and reveals are taken: 1 or 0.';
  gauge(registry, 'keyferry_embedded_gate_open', help, [], (made) => made.set(gate.state().open ? 1 : 0));
}

/** By namespace: when the oldest of the latest versions was put, in milliseconds since the epoch. */
function oldestLatest(secrets: readonly VersionedSecret[]): ReadonlyMap<string, number> {
  const oldest = new Map<string, number>();
  for (const { metadata, spec, status } of secrets) {
    const latest = status.versions?.find(({ version }) => version === status.latest);
    if (spec.rotateAfter === undefined || latest === undefined) continue;
    const at = Date.parse(latest.createdAt);
    oldest.set(metadata.namespace, Math.min(at, oldest.get(metadata.namespace) ?? at));
  }
  return oldest;
}
