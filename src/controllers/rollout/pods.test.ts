import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../../kube/client.ts';
import { rawObjectSchema } from '../../kube/object.ts';
import { createRecordingClient } from '../testing/recording-client.ts';
import { buildMetadata } from '../testing/builders.ts';
import { listPodsOf, stuckPod, toPod, verdictOfPods, type WorkloadPod } from './pods.ts';

const marker = 'keyferry.io/content.db';
const time = { now: Date.parse('2026-01-01T00:10:00Z'), patience: 300_000 };
const running = { name: 'app', ready: true, restartCount: 0, state: { running: {} } };
const unready = { ...running, ready: false };
const waiting = (reason: string, more: object = {}) => ({
  name: 'app',
  ready: false,
  state: { waiting: { reason } },
  ...more,
});
const ended = (exitCode: number, reason: string, name = 'app') => ({
  name,
  ready: exitCode === 0,
  state: { terminated: { exitCode, reason } },
});
const after = (exitCode: number, reason: string) => ({
  restartCount: 1,
  lastState: { terminated: { exitCode, reason } },
});
const conditions = (status: string, reason?: string) => ({ conditions: [{ type: 'Ready', status, reason }] });

function podOf(status: object, metadata: object = {}, spec: object = {}): WorkloadPod {
  const annotations = { [marker]: '1:bbbb' };
  return toPod(
    rawObjectSchema.parse({
      metadata: { ...buildMetadata({ name: 'api-1', annotations }), ...metadata },
      spec,
      status,
    }),
  );
}

const app = (...containerStatuses: readonly object[]) => ({ phase: 'Running', containerStatuses });
const init = (initStatus: object, ...containerStatuses: readonly object[]) => ({
  phase: 'Pending',
  initContainerStatuses: [{ ...initStatus, name: 'wait' }],
  containerStatuses,
});
const sidecar = { initContainers: [{ name: 'wait', restartPolicy: 'Always' }] };

describe('a pod that is not ready', () => {
  it.each<[string, object, string, object?]>([
    ['is not ready', app(unready), 'Unready'],
    ['crashes again and again', app(waiting('CrashLoopBackOff', after(1, 'Error'))), 'CrashLoopBackOff'],
    ['has just crashed', app(ended(1, 'Error')), 'Crashed'],
    ['crashed and is made again', app(waiting('ContainerCreating', after(1, 'Error'))), 'Crashed'],
    ['ends without an error', app(ended(0, 'Completed')), 'Completed'],
    ['takes too much memory', app(ended(137, 'OOMKilled')), 'OOMKilled'],
    ['crashes while another is well', app(running, ended(1, 'Error')), 'Crashed'],
    ['crashes while another waits for its image', app(waiting('ImagePullBackOff'), ended(1, 'Error')), 'Crashed'],
    ['waits for something before it starts', init(running, waiting('PodInitializing')), 'Initializing'],
    ['crashes before it starts', init(ended(1, 'Error'), waiting('PodInitializing')), 'Crashed'],
    ['has a sidecar that is not ready', init(unready, waiting('PodInitializing')), 'Unready', sidecar],
    ['is refused by a gate', { ...app(running), ...conditions('False', 'ReadinessGatesNotReady') }, 'ReadinessGate'],
  ])('is evidence where what it runs %s', (_, status, reason, spec = {}) => {
    const { started, blames, ...pod } = podOf(status, {}, spec);

    expect({ reason: pod.reason, started, blames, ready: pod.ready }).toEqual({
      reason,
      started: true,
      blames: true,
      ready: false,
    });
  });

  it.each<[string, object, string]>([
    ['has no node yet', { phase: 'Pending' }, 'Pending'],
    ['is only being made', app(waiting('ContainerCreating')), 'Pending'],
    ['is being made after its init container', init(ended(0, 'Completed'), waiting('PodInitializing')), 'Pending'],
    ['gets no image', app(waiting('ImagePullBackOff')), 'ImagePull'],
    ['gets no image for one of its containers', app(running, waiting('ErrImagePull')), 'ImagePull'],
    ['lacks a key of a Secret', app(waiting('CreateContainerConfigError')), 'CreateContainerConfigError'],
    [
      'has a command that does not exist',
      app(waiting('CrashLoopBackOff', after(128, 'StartError'))),
      'CrashLoopBackOff',
    ],
    ['was evicted', { ...app(ended(137, 'Error')), phase: 'Failed', reason: 'Evicted' }, 'Evicted'],
    ['is being evicted', { ...app(unready), conditions: [{ type: 'DisruptionTarget', status: 'True' }] }, 'Evicted'],
    ['is on a node that went down', app(ended(137, 'ContainerStatusUnknown')), 'ContainerStatusUnknown'],
    ['is on a node that is not heard of', { ...app(running), ...conditions('False') }, 'NodeLost'],
    ['is on a node that is lost', { ...app(running), phase: 'Unknown' }, 'NodeLost'],
  ])('is no evidence where it %s', (_, status, reason) => {
    const pod = podOf(status);

    expect({ reason: pod.reason, blames: pod.blames }).toEqual({ reason, blames: false });
    expect(verdictOfPods([pod], marker, '1:bbbb', time)).toEqual({
      failing: false,
      young: false,
      detail: `its new pods: ${reason}`,
    });
  });
});

describe('a pod', () => {
  it('that is ready has no reason, whatever it went through', () => {
    const pod = podOf({ ...app({ ...running, ...after(1, 'Error') }), ...conditions('True') });

    expect(pod).toMatchObject({ ready: true, started: true, reason: undefined, blames: false });
  });

  it.each([
    ['started once it runs', app(running), true],
    ['started once an init container ended', init(ended(0, 'Completed'), waiting('PodInitializing')), true],
    ['started where it was restarted', app(waiting('ImagePullBackOff', { restartCount: 1 })), true],
    ['has not started while it waits', app(waiting('ContainerCreating')), false],
    ['has not started where its command can not be', app(ended(128, 'StartError')), false],
    ['has not started without a status', {}, false],
  ])('%s', (_, status, started) => {
    expect(podOf(status).started).toBe(started);
  });

  it('carries the markers of its template and what its deletion is pinned to', () => {
    const pod = podOf({ phase: 'Pending' }, { annotations: { [marker]: '1:bbbb', other: 'x' }, resourceVersion: '9' });

    expect([...pod.markers]).toEqual([[marker, '1:bbbb']]);
    expect(pod).toMatchObject({ name: 'api-1', uid: 'uid-1', resourceVersion: '9', phase: 'Pending' });
  });
});

describe('the verdict on a rollout', () => {
  const crashing = (name: string, metadata: object = {}) => podOf(app(ended(1, 'Error')), { name, ...metadata });

  it('is that it fails where one pod of it does, and names the first', () => {
    const ready = podOf({ ...app(running), ...conditions('True') }, { name: 'api-0' });
    const unstarted = podOf(app(waiting('ImagePullBackOff')), { name: 'api-3' });

    expect(verdictOfPods([unstarted, crashing('api-2'), podOf(app(unready)), ready], marker, '1:bbbb', time)).toEqual({
      failing: true,
      young: false,
      detail: 'its new pods: Crashed, Unready',
      podName: 'api-1',
    });
  });

  it.each<[string, object]>([
    ['that run another content', { annotations: { [marker]: '1:aaaa' } }],
    ['that are older than any marker', { annotations: {} }],
    ['that are going away', { deletionTimestamp: '2026-01-01T00:00:00Z' }],
  ])('does not hear pods %s', (_, metadata) => {
    expect(verdictOfPods([crashing('api-1', metadata)], marker, '1:bbbb', time)).toEqual({
      failing: false,
      young: false,
      detail: '',
    });
  });
});

describe('a pod that is not ready', () => {
  const late = '2026-01-01T00:09:30Z';
  const early = '2026-01-01T00:01:00Z';
  const since = (startedAt: string, unready: string, more: object = {}) =>
    podOf({
      ...app({ ...running, ready: false, state: { running: { startedAt } }, ...more }),
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: unready }],
    });

  it.each<[string, WorkloadPod, boolean]>([
    ['has its time where it was started late', since(late, late), false],
    ['has its time where its image came late', since(late, early), false],
    ['has its time where it was ready until a moment ago', since(early, late), false],
    ['has its time after one restart', since(late, late, after(1, 'Error')), false],
    ['fails where it had it', since(early, early), true],
    ['fails where it had it and was restarted since', since(late, early, after(1, 'Error')), true],
    ['fails where it crashes again and again', podOf(app(waiting('CrashLoopBackOff', after(1, 'Error')))), true],
  ])('%s', (_, pod, failing) => {
    expect(verdictOfPods([pod], marker, '1:bbbb', time)).toMatchObject({ failing, young: !failing });
  });

  it('has its time after an init container that ended', () => {
    const pod = podOf({
      ...init(ended(0, 'Completed'), { ...unready, state: { running: { startedAt: late } } }),
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: early }],
    });
    expect(verdictOfPods([pod], marker, '1:bbbb', time)).toMatchObject({ failing: false, young: true });
  });
});

describe('the pod that a StatefulSet waits for', () => {
  const crashed = (name: string, annotations: object) =>
    podOf(app(waiting('CrashLoopBackOff', after(1, 'Error'))), { name, annotations });
  const ready = (name: string, content: string) =>
    podOf({ ...app(running), ...conditions('True') }, { name, annotations: { [marker]: content } });
  const stuck = (...pods: readonly WorkloadPod[]) => stuckPod(pods, marker, '1:bbbb', time)?.name;

  it('is the next one to be replaced, where it fails on older content', () => {
    expect(stuck(ready('db-0', '1:aaaa'), crashed('db-1', { [marker]: '1:aaaa' }), ready('db-2', '1:bbbb'))).toBe(
      'db-1',
    );
  });

  it.each<[string, readonly WorkloadPod[]]>([
    [
      'where one with a higher number is being replaced',
      [crashed('db-0', { [marker]: '1:aaaa' }), ready('db-1', '1:aaaa')],
    ],
    ['where a newer one fails', [crashed('db-0', { [marker]: '1:aaaa' }), crashed('db-1', { [marker]: '1:bbbb' })]],
    ['where it was never marked', [crashed('db-0', {})]],
    ['where it is ready', [ready('db-0', '1:aaaa')]],
    ['where it waits for its image', [podOf(app(waiting('ErrImagePull')), { annotations: { [marker]: '1:aaaa' } })]],
  ])('is none %s', (_, pods) => {
    expect(stuck(...pods)).toBeUndefined();
  });
});

describe('the pods of a workload', () => {
  const listing = () => {
    const queries: unknown[] = [];
    const client: KubeClient = {
      ...createRecordingClient(() => ({})),
      list: (resource, query) => {
        queries.push({ plural: resource.plural, ...query });
        return Promise.resolve([rawObjectSchema.parse({ metadata: buildMetadata({ name: 'api-1' }) })]);
      },
    };
    return { client, queries };
  };
  const { signal } = new AbortController();
  const metadata = { namespace: 'shop' };

  it('are those that its selector finds', async () => {
    const { client, queries } = listing();

    const pods = await listPodsOf(client, { metadata, selector: { app: 'api', tier: 'web' } }, signal);

    expect(pods.map(({ name }) => name)).toEqual(['api-1']);
    expect(queries).toEqual([{ plural: 'pods', namespace: 'shop', labelSelector: 'app=api,tier=web' }]);
  });

  it('are without those that can not be understood', async () => {
    const { client } = listing();
    const odd = { metadata: buildMetadata({ name: 'api-2' }), status: { containerStatuses: [{ name: 7 }] } };
    const list: KubeClient['list'] = async (...query) => [...(await client.list(...query)), rawObjectSchema.parse(odd)];

    const pods = await listPodsOf({ ...client, list }, { metadata, selector: { app: 'api' } }, signal);

    expect(pods.map(({ name }) => name)).toEqual(['api-1']);
  });

  it('are none without a selector, which would find all of the namespace', async () => {
    const { client, queries } = listing();

    expect(await listPodsOf(client, { metadata, selector: {} }, signal)).toEqual([]);
    expect(queries).toEqual([]);
  });
});
