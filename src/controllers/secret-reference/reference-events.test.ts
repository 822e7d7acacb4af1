import { describe, expect, it } from 'vitest';
import type { Condition } from '../../api/v1/conditions.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { buildReference } from '../testing/builders.ts';
import { definite } from './failure.ts';
import { recordOutcome } from './reference-events.ts';
import type { Findings } from './status.ts';

const findings: Findings = {
  outcome: { state: 'failed', failure: definite('SecretNotFound', 'no'), released: false },
  trouble: undefined,
  syncRequest: undefined,
};

function condition(type: string, status: Condition['status'], reason: string, message = reason): Condition {
  return { type, status, reason, message, lastTransitionTime: 't' };
}

/** The reasons of the events that going from one list of conditions to another makes. */
function told(before: readonly Condition[], after: readonly Condition[]): readonly string[] {
  const reasons: string[] = [];
  const recorder: Pick<EventRecorder, 'record'> = {
    record: ({ reason }) => {
      reasons.push(reason);
    },
  };
  const reference = buildReference({ status: { conditions: [...before] } });
  recordOutcome(recorder, reference, { conditions: [...after] }, findings);
  return reasons;
}

describe('the events of a reference', () => {
  it('tell a condition that became bad, once', () => {
    const bad = condition('Ready', 'False', 'SecretNotFound');
    expect(told([], [bad])).toEqual(['SecretNotFound']);
    expect(told([bad], [bad])).toEqual([]);
  });

  it('tell a bad condition anew when it says something else', () => {
    const [one, two] = [
      condition('Ready', 'False', 'InvalidValue', 'a'),
      condition('Ready', 'False', 'InvalidValue', 'b'),
    ];
    expect(told([one], [two])).toEqual(['InvalidValue']);
  });

  it('say nothing of conditions that are well', () => {
    expect(told([], [condition('Ready', 'True', 'Synced'), condition('Stale', 'False', 'UpToDate')])).toEqual([]);
  });

  it('tell one reason of two conditions once, and two reasons both', () => {
    const ready = condition('Ready', 'False', 'ManagerUnavailable');
    expect(told([], [ready, condition('Stale', 'True', 'ManagerUnavailable')])).toEqual(['ManagerUnavailable']);
    expect(told([], [ready, condition('Stale', 'True', 'Throttled')])).toEqual(['ManagerUnavailable', 'Throttled']);
  });
});
