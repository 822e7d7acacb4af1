import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rolloutFieldManager } from '../../src/api/v1/names.ts';
import type { ConsumerKind } from '../../src/api/v1/rollout.ts';
import { workloadResources } from '../../src/controllers/rollout/resources.ts';
import type { Workload, Workloads } from '../../src/controllers/rollout/workload.ts';
import type { KubeBody } from '../../src/kube/client.ts';
import type { RawObject } from '../../src/kube/object.ts';
import { createRecordingLogger } from '../../src/kube/testing/recording-logger.ts';
import { createWorkloadCaches } from '../../src/operator/workload-caches.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { applyRolloutCrd } from './argo.ts';
import { connect, type KubeConnection, makeNamespace, never } from './kube-connection.ts';

const marker = 'keyferry.io/content.db';
const labels = { app: 'api' };
const container = { name: 'app', image: 'app:1', envFrom: [{ secretRef: { name: 'db' } }] };
const podSpec = { containers: [container], volumes: [{ name: 'v', secret: { secretName: 'db' } }] };
const once = { ...podSpec, restartPolicy: 'Never' };
const template = { metadata: { labels }, spec: podSpec };
const selecting = { selector: { matchLabels: labels }, template };

const specs: Readonly<Record<Exclude<ConsumerKind, 'Rollout'>, object>> = {
  Deployment: { ...selecting, replicas: 1 },
  StatefulSet: { ...selecting, serviceName: 'api', replicas: 0 },
  DaemonSet: selecting,
  CronJob: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: { spec: once } } } },
  Job: { suspend: true, template: { spec: once } },
  Pod: podSpec,
};

/** Of its own control plane: it has Argo Rollouts only when the test says so. */
describe('the caches of workloads, on a real API server,', () => {
  const logger = createRecordingLogger();
  const stop = new AbortController();
  const changes: string[] = [];
  let cluster: ControlPlane;
  let kube: KubeConnection;
  let namespace: string;
  let workloads: Workloads;
  let running: Promise<unknown>;

  beforeAll(async () => {
    cluster = await startControlPlane();
    kube = connect(cluster.kubeconfig);
    namespace = await makeNamespace(kube.client, 'workloads');
    const { transport } = kube;
    const settings = { transport, clock: systemClock, random: Math.random, logger, timings: { absence: 300 } };
    const caches = createWorkloadCaches(settings, [namespace]);
    ({ workloads } = caches);
    workloads.onChange(({ type, object }) => changes.push(`${type} ${object.kind} ${object.metadata.name}`));
    running = Promise.all(caches.reflectors.map((reflector) => reflector.run(stop.signal)));
    await Promise.all(caches.reflectors.map((reflector) => reflector.whenSynced(never)));
    await waitFor({ what: 'the account of pods', timeout: 30_000 }, () =>
      runKubectl(cluster, ['get', 'serviceaccount', 'default', '-n', namespace]),
    );
  });
  afterAll(async () => {
    stop.abort();
    await running;
    await kube.transport.close();
    await cluster.stop();
  });

  function create(kind: ConsumerKind, spec: object, name = 'api'): Promise<RawObject> {
    const body: KubeBody = { metadata: { name, namespace }, spec };
    return kube.client.create(workloadResources[kind], body, { signal: never, fieldManager: 'test' });
  }

  /** Marks the template as a rollout does, pinned to what the cache has. */
  function mark({ kind, metadata }: Workload, value: string): Promise<RawObject> {
    const { name, uid, resourceVersion } = metadata;
    const marked = { metadata: { annotations: { [marker]: value } } };
    const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template: marked } } } : { template: marked };
    const body: KubeBody = { metadata: { name, namespace, uid, resourceVersion }, spec };
    const options = { signal: never, fieldManager: rolloutFieldManager, force: true };
    return kube.client.apply(workloadResources[kind], body, options);
  }

  function until<T>(what: string, probe: () => T | undefined): Promise<T> {
    return waitFor({ what, timeout: 30_000 }, () => Promise.resolve(probe()));
  }

  function usersOf(secret: string): readonly string[] {
    return workloads.usersOf(namespace, secret).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  }

  const markerOf = (kind: ConsumerKind) => workloads.get(kind, namespace, 'api')?.markers.get(marker);

  test('know one of each kind that uses a Secret, and nothing that another workload made', async () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod'] as const;
    await Promise.all(kinds.map((kind) => create(kind, specs[kind])));
    await runKubectl(cluster, ['create', 'job', 'made', '--from=cronjob/api', '-n', namespace]);
    const listPods = () => kube.client.list(workloadResources.Pod, { namespace }, { signal: never });
    await waitFor({ what: 'pods of the Deployment and the Job', timeout: 30_000 }, async () =>
      (await listPods()).length === 3 ? true : undefined,
    );
    const everyone = kinds.map((kind) => `${kind} api`);
    await until('all to be known', () => (usersOf('db').length >= everyone.length ? true : undefined));
    // What happened to pods before this one was seen has been looked at by now.
    await create('Pod', { containers: [{ name: 'app', image: 'app:1' }] }, 'last');
    await until('the last pod', () => workloads.get('Pod', namespace, 'last'));

    expect(usersOf('db')).toEqual(everyone);
    expect(workloads.get('Deployment', namespace, 'api')?.uses.get('db')).toEqual(['envFrom', 'volume']);
    expect(changes.filter((change) => change.startsWith('added')).toSorted()).toEqual(
      [...everyone, 'Pod last'].map((workload) => `added ${workload}`).toSorted(),
    );
    expect(logger.records.map(({ level, fields }) => [level, fields['resource']])).toEqual([['info', 'rollouts']]);
  });

  test.each(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'] as const)(
    'know of a %s whose marker it is, and when others took it',
    async (kind) => {
      // Its controller may write a status in between, which the cache hears of a moment later.
      const before = await waitFor({ what: 'a mark that is not too late', timeout: 30_000 }, async () => {
        const workload = workloads.get(kind, namespace, 'api');
        if (workload !== undefined) await mark(workload, '1:aaaa');
        return workload;
      });
      const marked = await until('the mark', () => markerOf(kind));
      const after = workloads.get(kind, namespace, 'api');
      const stolen = { metadata: { annotations: { [marker]: '1:bbbb' } } };
      const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template: stolen } } } : { template: stolen };
      const patch = JSON.stringify({ spec });
      await runKubectl(cluster, ['patch', kind.toLowerCase(), 'api', '-n', namespace, '--type=merge', '-p', patch]);
      const taken = await until('the patch', () => (markerOf(kind)?.value === '1:bbbb' ? markerOf(kind) : undefined));

      expect(marked).toEqual({ value: '1:aaaa', ours: true });
      expect(after?.markedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(after?.template).toBe(before.template);
      expect(taken).toEqual({ value: '1:bbbb', ours: false });
    },
  );

  test('know Argo Rollouts from when the cluster does, until it does not', async () => {
    await applyRolloutCrd(cluster);
    await create('Rollout', { ...selecting, replicas: 1 });
    const rollout = await until('the Rollout', () => workloads.get('Rollout', namespace, 'api'));
    await mark(rollout, '1:aaaa');
    const marked = await until('the mark', () => markerOf('Rollout'));
    await runKubectl(cluster, ['delete', 'crd', 'rollouts.argoproj.io']);
    await until('the Rollout to be gone', () => (usersOf('db').includes('Rollout api') ? undefined : true));
    await applyRolloutCrd(cluster);
    await create('Rollout', { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } });
    const again = await until('the next Rollout', () => workloads.get('Rollout', namespace, 'api'));

    expect(rollout.progress).toEqual({ state: 'Progressing' });
    expect(marked).toEqual({ value: '1:aaaa', ours: true });
    expect(again.workloadRef).toEqual({ kind: 'Deployment', name: 'api' });
    expect(again.metadata.uid).not.toBe(rollout.metadata.uid);
  });
});
