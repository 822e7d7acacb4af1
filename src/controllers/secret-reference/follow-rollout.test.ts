import { describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import type { Guard, Held } from '../../api/v1/rollout.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { fingerprint } from '../rollout/fingerprint.ts';
import {
  buildConsumer,
  buildMetadata,
  buildReference,
  buildVersionSet,
  buildWorkload,
  buildWorkloads,
} from '../testing/builders.ts';
import { toPod, type WorkloadPod } from '../rollout/pods.ts';
import { rawObjectSchema } from '../../kube/object.ts';
import { followRollout } from './follow-rollout.ts';
import type { Examined } from './reconcile.ts';
import { definite } from './failure.ts';

const signal = new AbortController().signal;
const marker = 'keyferry.io/content.api-db';
const start = Date.parse('2026-01-01T10:00:00Z');
const good = buildVersionSet();
const guard: Guard = { good, content: '1:bbbb' };
const target = {
  name: 'api-db',
  uid: 's',
  resourceVersion: '7',
  ownership: 'Owner',
  inputs: '1:bbbb',
  content: '1:bbbb',
} as const;
const workload = buildWorkload({
  markers: new Map([[marker, { value: '1:bbbb', ours: true }]]),
  markedAt: '2026-01-01T09:59:00Z',
  progress: { state: 'Failed' },
});
const template = fingerprint(workload, marker);
const due = buildConsumer({ state: 'Waiting', template });
const status: SecretReferenceStatus = { target, summary: 'db.password@v2', versions: [], consumers: [due], guard };

/** A pod that was made for the content. */
function podWith(container: object): WorkloadPod {
  const metadata = buildMetadata({ name: 'api-1', annotations: { [marker]: '1:bbbb' } });
  const containerStatuses = [{ name: 'app', ready: false, restartCount: 2, ...container }];
  return toPod(rawObjectSchema.parse({ metadata, status: { phase: 'Running', containerStatuses } }));
}

const crashing = podWith({
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 1, reason: 'Error' } },
});
const pulling = podWith({ restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff' } } });

interface Case {
  readonly reference?: Parameters<typeof buildReference>[0];
  readonly pods?: readonly WorkloadPod[];
  readonly guard?: Guard | undefined;
  readonly held?: Held;
  readonly outcome?: Examined['findings']['outcome'];
}

function follow({ reference = {}, pods = [crashing], held, ...more }: Case = {}) {
  const rollouts = {
    workloads: buildWorkloads(workload),
    waiting: () => undefined,
    observe: () => undefined,
    podsOf: () => Promise.resolve(pods),
    unstick: undefined,
  };
  const secret = { content: '1:bbbb', previous: '1:aaaa', agreed: true };
  const outcome = more.outcome ?? { state: 'synced', versions: [], target, secret, changed: false };
  const resolution = { state: 'pending' } as const;
  const choice = { resolution, held, guard: 'guard' in more ? more.guard : guard };
  const examined: Examined = { findings: { outcome, trouble: undefined, syncRequest: undefined }, choice };
  const scope = { rollouts, clock: createFakeClock(start) };
  return followRollout(
    scope,
    buildReference({ status, spec: { rollout: { onFailure: 'Revert' } }, ...reference }),
    examined,
    signal,
  );
}

describe('a guarded rollout that failed by its pods', () => {
  it('is written down as what is held, at once', async () => {
    const { rollout, requeueAfter } = await follow();
    expect(rollout?.held).toEqual({
      bad: { content: '1:bbbb', inputs: '1:bbbb', summary: 'db.password@v2', versions: [] },
      good,
      since: '2026-01-01T10:00:00.000Z',
      why: expect.stringMatching(/^Deployment api: .*CrashLoopBackOff/u),
    });
    expect(rollout).toMatchObject({
      guard: undefined,
      condition: { reason: 'Reverted' },
      consumers: [{ state: 'Failed' }],
    });
    expect(requeueAfter).toBe(1);
  });

  it('remembers what was asked for until then', async () => {
    const metadata = { annotations: { [annotations.retry]: 'then' } };
    expect((await follow({ reference: { metadata } })).rollout?.held?.retry).toBe('then');
  });

  it('goes back only once the status names the content that failed', async () => {
    const behind = { ...status, target: { ...target, inputs: '1:aaaa', content: '1:aaaa' } };
    const { rollout, requeueAfter } = await follow({ reference: { status: behind } });
    expect(rollout).toMatchObject({ held: undefined, guard, condition: { reason: 'Failed' } });
    expect(requeueAfter).toBe(1);
  });
});

describe('a rollout that failed', () => {
  it('by something else than its pods is reported, with what the pods say', async () => {
    const { rollout } = await follow({ pods: [pulling] });
    expect(rollout).toMatchObject({ held: undefined, guard, condition: { reason: 'Failed' } });
    expect(rollout?.consumers).toMatchObject([{ state: 'Failed', message: expect.stringContaining('ImagePull') }]);
  });

  it.each<[string, Case]>([
    [
      'there is no way back',
      {
        guard: { ...guard, refusal: 'gone' },
        reference: { status: { ...status, guard: { ...guard, refusal: 'gone' } } },
      },
    ],
    [
      'more than the Secret changed',
      { reference: { status: { ...status, consumers: [{ ...due, template: 'uuuuuuuu' }] } } },
    ],
  ])('is reported where %s', async (_what, options) => {
    const { rollout } = await follow(options);
    expect(rollout).toMatchObject({
      held: undefined,
      condition: { reason: 'Failed', message: expect.stringContaining('Not reverted') },
    });
  });

  it('without a guard is reported, and nobody looks at its pods', async () => {
    const { guard: _, ...unguarded } = status;
    const { rollout } = await follow({ guard: undefined, reference: { status: unguarded } });
    expect(rollout).toMatchObject({ held: undefined, condition: { reason: 'Failed' } });
    expect(rollout?.consumers[0]?.message).toBeUndefined();
  });

  it('goes back nowhere while the reference can not be met', async () => {
    const outcome = { state: 'failed', failure: definite('SecretNotFound', 'no'), released: false } as const;
    const { rollout } = await follow({ outcome });
    expect(rollout).toMatchObject({ held: undefined, guard });
  });
});

describe('without a look at workloads', () => {
  it('what is held stays so, and nothing else is said', async () => {
    const held = { good, bad: good, since: '2026-01-01T00:00:00Z', why: 'it failed' };
    const outcome = { state: 'suspended', suspension: { message: 'x' } } as const;
    const choice = { resolution: { state: 'pending' }, guard: undefined } as const;
    const findings = { outcome, trouble: undefined, syncRequest: undefined };
    const scope = { rollouts: undefined, clock: createFakeClock(start) };
    const followed = (one: Held | undefined) =>
      followRollout(scope, buildReference(), { findings, choice: { ...choice, held: one } }, signal);
    expect((await followed(held)).rollout?.held).toEqual(held);
    expect((await followed(undefined)).rollout).toBeUndefined();
  });
});
