import { group, version } from '../../api/v1/names.ts';
import { conditionOf } from '../../api/v1/conditions.ts';
import type { SecretReadyReason, VersionedSecretStatus } from '../../api/v1/versioned-secret.ts';
import type { EventInput } from '../../kube/event-series.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { AuditEntry } from '../audit.ts';
import type { VersionedSecret } from './versioned-secret.ts';

const problems: ReadonlySet<string> = new Set<SecretReadyReason>(['NameMismatch', 'LimitExceeded']);

/** Tells what a person would want to see in `kubectl describe`: versions that came or were refused, and what became wrong. */
export function recordSecretEvents(
  events: Pick<EventRecorder, 'record'>,
  { metadata, status: before }: VersionedSecret,
  after: VersionedSecretStatus,
  notes: readonly AuditEntry[],
): void {
  const { name, namespace, uid } = metadata;
  const regarding = { apiVersion: `${group}/${version}`, kind: 'VersionedSecret', namespace, name, uid };
  const tell = (type: EventInput['type'], reason: string, action: string, note: string): void =>
    events.record({ regarding, type, reason, action, note });
  for (const entry of notes) {
    if (entry.action === 'put') tell('Normal', 'Accepted', 'Put', `version ${entry.version} is accepted`);
    if (entry.action === 'rollback') tell('Normal', 'Accepted', 'Rollback', `version ${entry.version} is accepted`);
    if (entry.action === 'reject') {
      const why = after.rejected?.find((rejection) => rejection.version === entry.version)?.message;
      tell('Warning', entry.reason ?? 'Rejected', 'Put', `version ${entry.version} is refused: ${why ?? entry.reason}`);
    }
  }
  const ready = conditionOf(after, 'Ready');
  if (ready !== undefined && problems.has(ready.reason) && conditionOf(before, 'Ready')?.reason !== ready.reason) {
    tell('Warning', ready.reason, 'Check', ready.message);
  }
  const due = conditionOf(after, 'RotationDue');
  if (due?.status === 'True' && conditionOf(before, 'RotationDue')?.status !== 'True') {
    tell('Warning', 'RotationDue', 'Check', due.message);
  }
}
