import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject, RawObject } from '../../src/kube/object.ts';
import { createReflector, type Reflector } from '../../src/kube/reflector.ts';
import { type Resource, secrets } from '../../src/kube/resource.ts';
import { createStore, type Store } from '../../src/kube/store.ts';
import { createRecordingLogger, type RecordingLogger } from '../../src/kube/testing/recording-logger.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { configMaps, connect, inParallel, type KubeConnection, makeNamespace, never } from './kube-connection.ts';

interface ConfigMap extends KubeObject {
  readonly version: string;
}

interface Watching<T extends KubeObject> {
  readonly reflector: Reflector;
  readonly store: Store<T>;
  readonly logger: RecordingLogger;
  /** `added a`, `updated b`, ... */
  readonly changes: string[];
  stop(): Promise<void>;
}

const owner = { signal: never, fieldManager: 'test' };

function asConfigMap({ metadata, ...rest }: RawObject): ConfigMap {
  const data = rest['data'];
  const version = typeof data === 'object' && data !== null && 'version' in data ? String(data.version) : '';
  return { metadata, version };
}

function until(what: string, condition: () => boolean): Promise<true> {
  return waitFor({ what, timeout: 60_000 }, () => Promise.resolve(condition() ? true : undefined));
}

/** Of its own control plane: it is stopped, frozen and killed. */
describe('the reflector, on a real API server,', () => {
  let cluster: ControlPlane;
  let kube: KubeConnection;

  beforeAll(async () => {
    cluster = await startControlPlane({ controllerManager: false });
    kube = connect(cluster.kubeconfig);
  });
  afterAll(async () => {
    await kube.transport.close();
    await cluster.stop();
  });

  function watch<T extends KubeObject>(
    resource: Resource,
    namespace: string,
    transform: (raw: RawObject) => T,
    more: { metadataOnly?: boolean; silence?: number; store?: Store<T> } = {},
  ): Watching<T> {
    const logger = createRecordingLogger();
    const store = more.store ?? createStore<T>({ logger });
    const changes: string[] = [];
    store.onChange(({ type, object }) => changes.push(`${type} ${object.metadata.name}`));
    const stop = new AbortController();
    const { silence = 180_000, metadataOnly = false } = more;
    const reflector = createReflector<T>({
      transport: kube.transport,
      resource,
      namespace,
      metadataOnly,
      transform,
      store,
      clock: systemClock,
      random: Math.random,
      logger,
      timings: { backoffBase: 100, backoffCap: 1_000, silence },
    });
    const running = reflector.run(stop.signal);
    return {
      reflector,
      store,
      logger,
      changes,
      stop: () => {
        stop.abort();
        return running;
      },
    };
  }

  const setVersion = (namespace: string, index: number, version: string): Promise<RawObject> => {
    const metadata = { namespace, name: `map-${String(index)}` };
    return kube.client.apply(configMaps, { metadata, data: { version } }, { ...owner, force: true });
  };

  test('sees every change to 2,000 ConfigMaps, across a crash of the API server', async () => {
    const namespace = await makeNamespace(kube.client, 'reflector');
    await inParallel(2_000, 32, (index) => setVersion(namespace, index, '1'));
    const watching = watch(configMaps, namespace, asConfigMap);
    const { store, changes } = watching;
    await watching.reflector.whenSynced(never);
    const synced = store.size;
    await setVersion(namespace, 0, '2');
    await until('the update', () => store.get(namespace, 'map-0')?.version === '2');
    const changesBefore = changes.length;

    await cluster.restartApiServer();
    const deleted = store.get(namespace, 'map-1');
    const name = { namespace, name: 'map-1' };
    await kube.client.delete(configMaps, name, { signal: never, uid: deleted?.metadata.uid ?? '' });
    await setVersion(namespace, 2, '2');
    await setVersion(namespace, 2_000, '1');
    await until('the changes after the crash', () => {
      const added = store.get(namespace, 'map-2000') !== undefined;
      return added && store.get(namespace, 'map-2')?.version === '2' && store.get(namespace, 'map-1') === undefined;
    });
    await watching.stop();

    expect(synced).toBe(2_000);
    expect(store.size).toBe(2_000);
    expect(changes.slice(changesBefore).toSorted()).toEqual(['added map-2000', 'deleted map-1', 'updated map-2']);
  });

  test('notices that a watch is dead which nobody closed', async () => {
    const namespace = await makeNamespace(kube.client, 'frozen');
    await setVersion(namespace, 0, '1');
    const watching = watch(configMaps, namespace, asConfigMap, { silence: 2_000 });
    await watching.reflector.whenSynced(never);
    const pid = cluster.pids()['kube-apiserver'] ?? 0;

    process.kill(pid, 'SIGSTOP');
    try {
      await until('the silence to be noticed', () =>
        watching.logger.records.some(({ fields }) => String(fields['error']).includes('nothing was heard')),
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await setVersion(namespace, 0, '2');
    await until('the update', () => watching.store.get(namespace, 'map-0')?.version === '2');
    await watching.stop();

    expect(watching.changes).toEqual(['added map-0', 'updated map-0']);
  });

  test('never holds the values of the Secrets that it watches, not even those that kubectl copies into metadata', async () => {
    const namespace = await makeNamespace(kube.client, 'metadata');
    const seen: RawObject[] = [];
    const keep = (raw: RawObject): RawObject => {
      seen.push(raw);
      return raw;
    };
    const apply = (name: string, value: string): Promise<string> => {
      const data = { password: Buffer.from(value).toString('base64') };
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
      return runKubectl(cluster, ['apply', '-f', '-'], JSON.stringify(secret));
    };
    await apply('listed', 'canary-1');
    const watching = watch(secrets, namespace, keep, { metadataOnly: true });
    await watching.reflector.whenSynced(never);
    const before = await kube.client.get(secrets, { namespace, name: 'listed' }, { signal: never });

    await apply('listed', 'canary-2');
    await apply('watched', 'canary-3');
    await until('the changes', () => watching.changes.length === 3);
    await watching.stop();

    expect(JSON.stringify(before)).toContain('Y2FuYXJ5');
    expect(watching.changes).toEqual(['added listed', 'updated listed', 'added watched']);
    expect(seen.map((object) => Object.keys(object))).toEqual([['metadata'], ['metadata'], ['metadata']]);
    expect(JSON.stringify(seen)).not.toMatch(/Y2FuYXJ5|canary/);
  });

  test('takes an object that was deleted and made again for another object', async () => {
    const namespace = await makeNamespace(kube.client, 'reborn');
    const first = await setVersion(namespace, 0, '1');
    const watching = watch(configMaps, namespace, asConfigMap);
    await watching.reflector.whenSynced(never);
    await watching.stop();

    const name = { namespace, name: 'map-0' };
    await kube.client.delete(configMaps, name, { signal: never, uid: first.metadata.uid });
    await setVersion(namespace, 0, '1');
    const again = watch(configMaps, namespace, asConfigMap, { store: watching.store });
    await again.reflector.whenSynced(never);
    await again.stop();

    expect(again.changes).toEqual(['deleted map-0', 'added map-0']);
  });
});
