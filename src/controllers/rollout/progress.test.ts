import { describe, expect, it } from 'vitest';
import type { ConsumerKind } from '../../api/v1/rollout.ts';
import { buildMetadata } from '../testing/builders.ts';
import { progressOf } from './progress.ts';

type Case = readonly [sentence: string, spec: object, status: object | undefined, expected: string];

function describeKind(kind: ConsumerKind, cases: readonly Case[]): void {
  describe(`a ${kind}`, () => {
    it.each(cases)('%s', (_, spec, status, expected) => {
      const { state, detail } = progressOf(kind, { metadata: buildMetadata({ generation: 2 }), spec, status });

      expect([state, detail].filter((part) => part !== undefined).join(': ')).toBe(expected);
    });
  });
}

const three = { replicas: 3 };
const deployed = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
const overdue = { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] };
const onTime = { conditions: [{ type: 'Progressing', reason: 'NewReplicaSetAvailable' }] };

describeKind('Deployment', [
  ['is complete once all pods are new and available', three, { ...deployed, ...onTime }, 'Complete'],
  [
    'has one replica unless it says otherwise',
    {},
    { ...deployed, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
    'Complete',
  ],
  ['progresses without a status', three, undefined, 'Progressing'],
  ['progresses until its change was seen', three, { ...deployed, observedGeneration: 1 }, 'Progressing'],
  [
    'progresses while pods are old',
    three,
    { ...deployed, replicas: 4, updatedReplicas: 2 },
    'Progressing: 2 of 3 pods',
  ],
  ['progresses while old pods are left', three, { ...deployed, replicas: 4 }, 'Progressing: 3 of 3 pods'],
  ['progresses while pods are not available', three, { ...deployed, availableReplicas: 1 }, 'Progressing: 1 of 3 pods'],
  ['failed where it took too long', three, { ...deployed, ...overdue, availableReplicas: 2 }, 'Failed: 2 of 3 pods'],
  [
    'did not fail where an older change took too long',
    three,
    { ...deployed, ...overdue, observedGeneration: 1 },
    'Progressing',
  ],
  [
    'is paused, whatever its status says',
    { ...three, paused: true },
    { ...deployed, ...overdue },
    'Paused: 3 of 3 pods',
  ],
  ['is complete without replicas', { replicas: 0, paused: true }, { observedGeneration: 2 }, 'Complete'],
  [
    'progresses until its last pods are gone',
    { replicas: 0 },
    { observedGeneration: 2, replicas: 1 },
    'Progressing: 0 of 0 pods',
  ],
]);

const stateful = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3 };
const onDelete = { ...three, updateStrategy: { type: 'OnDelete' } };
const partitioned = (partition: number) => ({
  ...three,
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } },
});

describeKind('StatefulSet', [
  ['is complete once all pods are new and ready', three, { ...stateful }, 'Complete'],
  ['is complete with a partition of zero', partitioned(0), { ...stateful }, 'Complete'],
  ['progresses without a status', three, undefined, 'Progressing'],
  ['progresses until its change was seen', three, { ...stateful, observedGeneration: 1 }, 'Progressing'],
  ['progresses while pods are old', three, { ...stateful, updatedReplicas: 1 }, 'Progressing: 1 of 3 pods'],
  ['progresses while a new pod is not ready', three, { ...stateful, readyReplicas: 2 }, 'Progressing: 3 of 3 pods'],
  [
    'waits for somebody to delete its pods',
    onDelete,
    { ...stateful, updatedReplicas: 1 },
    'WaitingForDelete: 1 of 3 pods',
  ],
  ['is complete once somebody deleted all old pods', onDelete, { ...stateful }, 'Complete'],
  [
    'progresses while a deleted pod comes back',
    onDelete,
    { ...stateful, replicas: 2, updatedReplicas: 2, readyReplicas: 2 },
    'Progressing: 2 of 3 pods',
  ],
  [
    'is partial once all above the partition are new',
    partitioned(2),
    { ...stateful, updatedReplicas: 1 },
    'Partial: 1 of 3 pods',
  ],
  [
    'is partial where the partition holds all back',
    partitioned(5),
    { ...stateful, updatedReplicas: 0 },
    'Partial: 0 of 3 pods',
  ],
  [
    'progresses while one above the partition is old',
    partitioned(1),
    { ...stateful, updatedReplicas: 1 },
    'Progressing: 1 of 3 pods',
  ],
  [
    'progresses while one above the partition is not ready',
    partitioned(2),
    { ...stateful, updatedReplicas: 1, readyReplicas: 2 },
    'Progressing: 1 of 3 pods',
  ],
  ['is complete where those below the partition are new too', partitioned(1), { ...stateful }, 'Complete'],
  ['is complete without replicas', { ...onDelete, replicas: 0 }, { observedGeneration: 2 }, 'Complete'],
]);

const scheduled = {
  observedGeneration: 2,
  currentNumberScheduled: 3,
  desiredNumberScheduled: 3,
  updatedNumberScheduled: 3,
  numberAvailable: 3,
};
const byHand = { updateStrategy: { type: 'OnDelete' } };

describeKind('DaemonSet', [
  ['is complete once all pods are new and available', {}, scheduled, 'Complete'],
  ['progresses without a status', {}, undefined, 'Progressing'],
  ['progresses before its controller saw it', {}, { ...scheduled, observedGeneration: undefined }, 'Progressing'],
  ['progresses while pods are old', {}, { ...scheduled, updatedNumberScheduled: 1 }, 'Progressing: 1 of 3 pods'],
  ['progresses while pods are not available', {}, { ...scheduled, numberAvailable: 2 }, 'Progressing: 2 of 3 pods'],
  [
    'waits for somebody to delete its pods',
    byHand,
    { ...scheduled, updatedNumberScheduled: 1 },
    'WaitingForDelete: 1 of 3 pods',
  ],
  [
    'does not wait for somebody where only a new node lacks its pod',
    byHand,
    { ...scheduled, desiredNumberScheduled: 4 },
    'Progressing: 3 of 4 pods',
  ],
  ['is complete once somebody deleted all old pods', byHand, scheduled, 'Complete'],
  ['is complete without nodes', {}, { observedGeneration: 2 }, 'Complete'],
]);

const argo = { observedGeneration: '2', replicas: 3, updatedReplicas: 3, availableReplicas: 2 };

describeKind('Rollout', [
  ['is complete when it is healthy', three, { ...argo, phase: 'Healthy' }, 'Complete'],
  ['progresses without a status', three, undefined, 'Progressing'],
  [
    'progresses until its change was seen',
    three,
    { ...argo, phase: 'Healthy', observedGeneration: '1' },
    'Progressing',
  ],
  [
    'is believed where it names what it saw by a hash',
    three,
    { ...argo, phase: 'Healthy', observedGeneration: '5f79b78d7f' },
    'Complete',
  ],
  ['progresses', three, { ...argo, phase: 'Progressing' }, 'Progressing: 2 of 3 pods'],
  ['failed when it is degraded', three, { ...argo, phase: 'Degraded' }, 'Failed: 2 of 3 pods'],
  ['is paused by a step', three, { ...argo, phase: 'Paused' }, 'Paused: 2 of 3 pods'],
  ['is paused by a person', { ...three, paused: true }, { ...argo, phase: 'Progressing' }, 'Paused: 2 of 3 pods'],
  ['is complete without replicas', { replicas: 0 }, { observedGeneration: '2', phase: 'Progressing' }, 'Complete'],
]);

describeKind('CronJob', [['is complete: its next Job takes the template', {}, undefined, 'Complete']]);
describeKind('Job', [['is complete: it is left alone', {}, undefined, 'Complete']]);
describeKind('Pod', [['is complete: it is left alone', {}, { phase: 'Pending' }, 'Complete']]);
