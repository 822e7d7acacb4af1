import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type EventInput, events } from '../../src/kube/event-series.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import { createElector, type Elector } from '../../src/kube/lease.ts';
import { leases } from '../../src/kube/lease-record.ts';
import type { RawObject } from '../../src/kube/object.ts';
import { namespaces } from '../../src/kube/resource.ts';
import { createRecordingLogger } from '../../src/kube/testing/recording-logger.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { configMaps, connect, type KubeConnection, makeNamespace, never } from './kube-connection.ts';

const cluster = inject('cluster');
const durations = { lease: 3_000, renewDeadline: 2_000, retryPeriod: 300 };
const parts = { clock: systemClock, random: Math.random, logger: createRecordingLogger() };

interface Candidate {
  readonly elector: Elector;
  readonly stop: AbortController;
  readonly outcome: Promise<string>;
}

function until(what: string, condition: () => boolean): Promise<true> {
  return waitFor({ what, timeout: 30_000, interval: 20 }, () => Promise.resolve(condition() ? true : undefined));
}

function about(object: RawObject, kind: string, note: string): EventInput {
  const { namespace, name, uid } = object.metadata;
  const regarding = { apiVersion: 'v1', kind, namespace, name, uid };
  return { regarding, type: 'Warning', reason: 'SecretNotFound', action: 'Sync', note };
}

describe('leader election, on a real API server,', () => {
  let kube: KubeConnection;
  let namespace: string;

  beforeAll(async () => {
    kube = connect(cluster.kubeconfig);
    namespace = await makeNamespace(kube.client, 'leader');
  });
  afterAll(() => kube.transport.close());

  function stand(name: string, identity: string, log: string[], connection: KubeConnection = kube): Candidate {
    const stop = new AbortController();
    const elector = createElector({ client: connection.client, namespace, name, identity, durations, ...parts });
    const onStartedLeading = (signal: AbortSignal): Promise<void> => {
      log.push(`${identity} starts`);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          log.push(`${identity} ends`);
          resolve();
        });
      });
    };
    return { elector, stop, outcome: elector.run({ signal: stop.signal, onStartedLeading }) };
  }

  test('the second takes over from a leader that stops, and only then', async () => {
    const log: string[] = [];
    const a = stand('stops', 'a', log);
    await until('a to lead', () => a.elector.leading);
    const b = stand('stops', 'b', log);

    a.stop.abort();
    await until('b to lead', () => b.elector.leading);
    const lease = await kube.client.get(leases, { namespace, name: 'stops' }, { signal: never });
    b.stop.abort();

    expect(await Promise.all([a.outcome, b.outcome])).toEqual(['stopped', 'stopped']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
    expect(lease['spec']).toMatchObject({ holderIdentity: 'b', leaseDurationSeconds: 3 });
  });

  test('the second takes over from a leader that lost its connection, after that one noticed', async () => {
    const log: string[] = [];
    const fragile = connect(cluster.kubeconfig);
    const a = stand('breaks', 'a', log, fragile);
    await until('a to lead', () => a.elector.leading);
    const b = stand('breaks', 'b', log);

    await fragile.transport.close();
    const outcome = await a.outcome;
    await until('b to lead', () => b.elector.leading);
    b.stop.abort();
    await b.outcome;

    expect(outcome).toBe('lost');
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
  });
});

describe('events, on a real API server,', () => {
  let kube: KubeConnection;
  let namespace: string;

  beforeAll(async () => {
    kube = connect(cluster.kubeconfig);
    namespace = await makeNamespace(kube.client, 'events');
  });
  afterAll(() => kube.transport.close());

  test('appear where kubectl describe shows them, and count their repetitions', async () => {
    const owner = { signal: never, fieldManager: 'test' };
    const map = await kube.client.create(configMaps, { metadata: { namespace, name: 'map' } }, owner);
    const recorder = createEventRecorder({
      client: kube.client,
      controller: 'keyferry.io/operator',
      instance: 'operator-1',
      ...parts,
    });
    const stop = new AbortController();
    const running = recorder.run(stop.signal);
    const list = () => kube.client.list(events, { namespace }, { signal: never });

    recorder.record(about(map, 'ConfigMap', 'There is no db.password.'));
    await waitFor({ what: 'the event', timeout: 30_000 }, async () => ((await list()).length === 1 ? true : undefined));
    for (let repetition = 0; repetition < 4; repetition += 1) {
      recorder.record(about(map, 'ConfigMap', 'There is no db.password.'));
    }
    stop.abort();
    await running;

    expect(await list()).toMatchObject([{ series: { count: 5 }, reportingController: 'keyferry.io/operator' }]);
    expect(recorder.dropped).toBe(0);
    const described = await runKubectl(cluster, ['describe', 'configmap', 'map', '-n', namespace]);
    expect(described).toMatch(/Warning\s+SecretNotFound\s.*There is no db\.password\./);
  });

  test('of cluster-scoped objects and of long names are accepted', async () => {
    const owner = { signal: never, fieldManager: 'test' };
    const scope = await kube.client.get(namespaces, { namespace: '', name: namespace }, { signal: never });
    const name = `${'x'.repeat(199)}.${'y'.repeat(50)}`;
    const map = await kube.client.create(configMaps, { metadata: { namespace, name } }, owner);
    const instance = 'i'.repeat(300);
    const recorder = createEventRecorder({
      client: kube.client,
      controller: 'keyferry.io/operator',
      instance,
      ...parts,
    });
    const stop = new AbortController();
    recorder.record(about(scope, 'Namespace', 'ä'.repeat(2_000)));
    recorder.record(about(map, 'ConfigMap', 'x'));

    stop.abort();
    await recorder.run(stop.signal);

    expect(recorder.dropped).toBe(0);
    const inDefault = await kube.client.list(events, { namespace: 'default' }, { signal: never });
    const ours = inDefault.filter(({ metadata }) => metadata.name.startsWith(namespace));
    expect(ours.map((event) => event['note'])).toEqual(['ä'.repeat(512)]);
  });
});
