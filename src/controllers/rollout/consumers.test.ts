import { describe, expect, it } from 'vitest';
import { type Consumer, type RolloutSpec, rolloutSpecSchema } from '../../api/v1/rollout.ts';
import { buildConsumer, buildWorkload, buildWorkloads } from '../testing/builders.ts';
import {
  type ConsumedTarget,
  type ConsumerOptions,
  MAX_CONSUMERS,
  nextConsumers,
  refreshedConsumers,
} from './consumers.ts';
import type { Workload } from './workload.ts';

const marker = 'keyferry.io/content.api-db';
const marked = (value: string) => new Map([[marker, { value, ours: true }]]);

function targetWith(rollout: Partial<RolloutSpec> = {}): ConsumedTarget {
  return { namespace: 'shop', name: 'api-db', marker, rollout: { ...rolloutSpecSchema.parse({}), ...rollout } };
}

function optionsFor(workloads: readonly Workload[], more: Partial<ConsumerOptions> = {}): ConsumerOptions {
  return {
    workloads: buildWorkloads(...workloads),
    before: [],
    secret: { content: '1:bbbb', previous: '1:aaaa', agreed: true },
    summary: 'db.password@v2',
    waiting: () => undefined,
    ...more,
  };
}

function consumerOf(workload: Workload, more: Partial<ConsumerOptions> = {}, rollout: Partial<RolloutSpec> = {}) {
  const [consumer] = nextConsumers(targetWith(rollout), optionsFor([workload], more));
  return consumer;
}

describe('a consumer that is left alone', () => {
  const listed: Partial<RolloutSpec> = { policy: 'Listed', workloads: [{ kind: 'Deployment', name: 'web' }] };
  it.each<[string, Partial<Workload>, Partial<RolloutSpec>]>([
    ['a Pod is never restarted', { kind: 'Pod' }, {}],
    ['a Job is never restarted', { kind: 'Job', choice: 'in' }, {}],
    ['rollout.policy is Never', { choice: 'in' }, { policy: 'Never' }],
    ['its annotation keyferry.io/rollout says "false"', { choice: 'out' }, {}],
    ['rollout.workloads does not list it', {}, listed],
    ['a CronJob is marked only with the annotation keyferry.io/rollout: "true"', { kind: 'CronJob' }, {}],
    ['it uses the Secret to pull images only', { uses: new Map([['api-db', ['imagePull']]]) }, {}],
  ])('says why: %s', (message, workload, rollout) => {
    expect(consumerOf(buildWorkload(workload), {}, rollout)).toMatchObject({ state: 'LeftAlone', message });
  });

  it.each<[string, Partial<Workload>, Partial<RolloutSpec>]>([
    ['a CronJob with consent', { kind: 'CronJob', choice: 'in' }, {}],
    ['one that is listed', { metadata: buildWorkload({ metadata: { name: 'web' } }).metadata }, listed],
    ['one that pulls images with it and more', { uses: new Map([['api-db', ['env', 'imagePull']]]) }, {}],
  ])('is not %s', (_what, workload, rollout) => {
    expect(consumerOf(buildWorkload(workload), {}, rollout)).toMatchObject({ state: 'Complete' });
  });

  it('is remembered by what it runs, for when it is rolled out again', () => {
    const before = [buildConsumer()];
    expect(consumerOf(buildWorkload({ choice: 'out' }), { before })).toMatchObject({
      state: 'LeftAlone',
      content: '1:aaaa',
    });
  });
});

describe('the consumers of a target', () => {
  it('are those that use it and those that are listed, each once, by kind and name', () => {
    const named = (kind: Workload['kind'], name: string, uses = true) =>
      buildWorkload({ kind, metadata: { name, uid: `${kind}-${name}` }, ...(uses ? {} : { uses: new Map() }) });
    const all = [
      named('StatefulSet', 'a'),
      named('Deployment', 'b'),
      named('Deployment', 'a'),
      named('Deployment', 'c', false),
    ];
    const workloads = ['b', 'c', 'gone'].map((name) => ({ kind: 'Deployment' as const, name }));

    const consumers = nextConsumers(targetWith({ policy: 'Listed', workloads }), optionsFor(all));

    expect(consumers.map(({ kind, name, state, uses }) => [kind, name, state, uses])).toEqual([
      ['Deployment', 'a', 'LeftAlone', ['env']],
      ['Deployment', 'b', 'Complete', ['env']],
      ['Deployment', 'c', 'Complete', []],
      ['StatefulSet', 'a', 'LeftAlone', ['env']],
    ]);
  });

  it('do not count one that is being deleted', () => {
    const deleted = buildWorkload({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(nextConsumers(targetWith(), optionsFor([deleted], { before: [buildConsumer()] }))).toEqual([]);
  });

  it('count the Deployment in the stead of an Argo Rollout that takes its template from it', () => {
    const rollout = buildWorkload({
      kind: 'Rollout',
      metadata: { name: 'canary', uid: 'rollout-uid' },
      uses: new Map(),
      workloadRef: { kind: 'Deployment', name: 'api' },
    });
    const spec: Partial<RolloutSpec> = { policy: 'Listed', workloads: [{ kind: 'Rollout', name: 'canary' }] };
    const consumers = nextConsumers(targetWith(spec), optionsFor([rollout, buildWorkload()]));
    expect(consumers).toMatchObject([{ kind: 'Deployment', name: 'api', state: 'Complete' }]);
  });

  it('are as many as a status can tell, those that are rolled out first', () => {
    const pods = Array.from({ length: MAX_CONSUMERS + 1 }, (_, index) =>
      buildWorkload({ kind: 'Pod', metadata: { name: `p${index}`, uid: `p${index}` } }),
    );
    const last = buildWorkload({ kind: 'StatefulSet', metadata: { name: 'z', uid: 'z' } });
    const consumers = nextConsumers(targetWith(), optionsFor([...pods, last]));
    expect(consumers).toHaveLength(MAX_CONSUMERS);
    expect(consumers[0]).toMatchObject({ kind: 'StatefulSet' });
  });

  it('are only those that are known already where nothing is known of the Secret', () => {
    const stranger = buildWorkload({ metadata: { name: 'new', uid: 'new' } });
    const options = optionsFor([buildWorkload(), stranger], { before: [buildConsumer()] });
    expect(refreshedConsumers(targetWith(), options)).toMatchObject([{ name: 'api' }]);
  });
});

describe('a consumer that runs other content', () => {
  const before = [buildConsumer({ versions: 'db.password@v1', template: 'tttttttt' })];

  it('waits, and keeps what the ledger says of it', () => {
    expect(consumerOf(buildWorkload(), { before })).toEqual({
      ...buildConsumer(),
      state: 'Waiting',
      versions: 'db.password@v1',
      template: 'tttttttt',
    });
  });

  it('says what it waits for', () => {
    const waiting = () => 'as many workloads as may be are being rolled out';
    expect(consumerOf(buildWorkload(), { before, waiting })).toMatchObject({ state: 'Waiting', message: waiting() });
  });

  it('has failed where it is refused', () => {
    const refused = () => 'the API server refuses it';
    expect(consumerOf(buildWorkload(), { before, refused })).toMatchObject({ state: 'Failed', message: refused() });
  });
});

describe('a consumer whose template is made for the content', () => {
  const rolling = (progress: Workload['progress'], more: Partial<Workload> = {}) =>
    buildWorkload({ markers: marked('1:bbbb'), markedAt: '2026-01-01T10:00:00Z', progress, ...more });
  const due = [buildConsumer({ state: 'Waiting', template: 'tttttttt', versions: 'db.password@v1' })];

  it('is complete from the start where nobody rolled it out', () => {
    expect(consumerOf(buildWorkload({ progress: { state: 'Progressing' } }))).toEqual({
      ...buildConsumer({ content: '1:bbbb' }),
      versions: 'db.password@v2',
    });
  });

  it.each<[Workload['progress'], Partial<Consumer>]>([
    [{ state: 'Progressing', detail: '1 of 3 pods' }, { state: 'Progressing' }],
    [
      { state: 'Partial', detail: '1 of 3 pods' },
      { state: 'Partial', message: '1 of 3 pods' },
    ],
    [{ state: 'Paused' }, { state: 'Paused' }],
    [{ state: 'WaitingForDelete' }, { state: 'WaitingForDelete' }],
    [{ state: 'Failed' }, { state: 'Failed' }],
  ])('is as far as its own rollout is: %j', (progress, expected) => {
    expect(consumerOf(rolling(progress), { before: due })).toEqual({
      ...buildConsumer({ content: '1:bbbb', versions: 'db.password@v2', template: 'tttttttt' }),
      since: '2026-01-01T10:00:00Z',
      replaces: ['db.password@v1'],
      ...expected,
    });
  });

  it('stays complete, whatever its owners do with it later', () => {
    const { content: _, ...entry } = buildConsumer();
    const before = [{ ...entry, content: '1:bbbb', since: '2026-01-01T10:00:00Z' }];
    for (const state of ['Progressing', 'Failed', 'Paused'] as const) {
      expect(consumerOf(rolling({ state }), { before })).toMatchObject({
        state: 'Complete',
        since: '2026-01-01T10:00:00Z',
      });
    }
  });

  it('began when it was marked first, not when it was marked again for another target', () => {
    const before = [buildConsumer({ content: '1:bbbb', state: 'Progressing', since: '2026-01-01T09:00:00Z' })];
    expect(consumerOf(rolling({ state: 'Progressing' }), { before })?.since).toBe('2026-01-01T09:00:00Z');
  });

  it('begins anew when somebody resumes it', () => {
    const before = [buildConsumer({ content: '1:bbbb', state: 'Paused', since: '2026-01-01T09:00:00Z' })];
    const now = '2026-01-02T00:00:00Z';
    expect(consumerOf(rolling({ state: 'Progressing' }), { before, now })?.since).toBe(now);
  });

  it('goes on with its rollout where others took the marker away', () => {
    const before = [buildConsumer({ content: '1:bbbb', state: 'Progressing', since: '2026-01-01T09:00:00Z' })];
    const workload = buildWorkload({ progress: { state: 'Progressing' } });
    expect(consumerOf(workload, { before })).toMatchObject({ state: 'Progressing', content: '1:bbbb' });
  });
});
