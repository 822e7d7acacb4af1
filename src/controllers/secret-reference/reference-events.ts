import { group, version } from '../../api/v1/names.ts';
import { type Condition, conditionOf, type RolledOutReason } from '../../api/v1/conditions.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Reference } from './reference.ts';
import type { Findings } from './status.ts';

/** Tells what a person would want to see in `kubectl describe`: new content, and a condition that became another. */
export function recordOutcome(
  events: Pick<EventRecorder, 'record'>,
  reference: Reference,
  status: SecretReferenceStatus,
  findings: Findings,
): void {
  const { name, namespace, uid } = reference.metadata;
  const regarding = { apiVersion: `${group}/${version}`, kind: 'SecretReference', namespace, name, uid };
  if (findings.outcome.state === 'synced' && findings.outcome.changed) {
    const note = `wrote ${status.summary ?? ''} to Secret ${findings.outcome.target.name}`;
    events.record({ regarding, type: 'Normal', reason: 'Synced', action: 'Sync', note });
  }
  for (const after of toTell((status.conditions ?? []).filter(isBad))) {
    const before = conditionOf(reference.status, after.type);
    if (before?.status === after.status && before.message === after.message) continue;
    events.record({ regarding, type: 'Warning', reason: after.reason, action: 'Sync', note: after.message });
  }
}

/** Where both conditions are bad for the same reason, one event says it. */
function toTell([first, ...others]: readonly Condition[]): readonly Condition[] {
  return first === undefined ? [] : [first, ...others.filter((other) => other.reason !== first.reason)];
}

/** A rollout that goes on, waits or is paused is nobody's trouble. */
const badRollouts: ReadonlySet<string> = new Set<RolledOutReason>(['Failed', 'Reverted']);

function isBad(condition: Condition): boolean {
  if (condition.type === 'RolledOut') return badRollouts.has(condition.reason);
  return condition.status === (condition.type === 'Stale' ? 'True' : 'False');
}
