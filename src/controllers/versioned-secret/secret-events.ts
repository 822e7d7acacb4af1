import { conditionOf } from '../../api/v1/conditions.ts';
import { group, version } from '../../api/v1/names.ts';
import type { SecretReadyReason, VersionedSecretStatus } from '../../api/v1/versioned-secret.ts';
import type { EventInput } from '../../kube/event-series.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { AuditEntry } from '../audit.ts';
import type { VersionedSecret } from './versioned-secret.ts';

const problems: ReadonlySet<string> = new Set<SecretReadyReason>(['NameMismatch', 'LimitExceeded']);

type Told = Pick<EventInput, 'type' | 'reason' | 'action' | 'note'>;

/** Tells what a person would want to see in `kubectl describe`: versions that came or were refused, and what became wrong. */
export function recordSecretEvents(
  events: Pick<EventRecorder, 'record'>,
  { metadata, status: before }: VersionedSecret,
  after: VersionedSecretStatus,
  notes: readonly AuditEntry[],
): void {
  const { name, namespace, uid } = metadata;
  const regarding = { apiVersion: `${group}/${version}`, kind: 'VersionedSecret', namespace, name, uid };
  const told = [...notes.flatMap((entry) => ofVersion(entry, after)), ...ofConditions(before, after)];
  for (const each of told) events.record({ regarding, ...each });
}

function ofVersion({ action, version: number, reason = 'Rejected' }: AuditEntry, after: VersionedSecretStatus): Told[] {
  if (action === 'put' || action === 'rollback') {
    return [{ type: 'Normal', reason: 'Accepted', action: 'Put', note: `version ${number} is accepted` }];
  }
  if (action !== 'reject') return [];
  const why = after.rejected?.find((rejection) => rejection.version === number)?.message ?? reason;
  return [{ type: 'Warning', reason, action: 'Put', note: `version ${number} is refused: ${why}` }];
}

function ofConditions(before: VersionedSecretStatus, after: VersionedSecretStatus): Told[] {
  const told: Told[] = [];
  const ready = conditionOf(after, 'Ready');
  if (ready !== undefined && problems.has(ready.reason) && conditionOf(before, 'Ready')?.reason !== ready.reason) {
    told.push({ type: 'Warning', reason: ready.reason, action: 'Check', note: ready.message });
  }
  const due = conditionOf(after, 'RotationDue');
  if (due?.status === 'True' && conditionOf(before, 'RotationDue')?.status !== 'True') {
    told.push({ type: 'Warning', reason: 'RotationDue', action: 'Check', note: due.message });
  }
  return told;
}
