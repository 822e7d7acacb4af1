import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeTransport, type FakeTransport, type FakeWatch } from '../kube/testing/fake-transport.ts';
import { createRecordingLogger, type RecordingLogger } from '../kube/testing/recording-logger.ts';
import { KubeError } from '../kube/errors.ts';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { createWorkloadCaches, type WorkloadCaches } from './workload-caches.ts';

const using = (secret: string) => ({
  spec: { containers: [{ name: 'app', envFrom: [{ secretRef: { name: secret } }] }] },
});
const noRollouts = new KubeError({
  subject: { verb: 'list', resource: 'rollouts.argoproj.io', object: '', sensitive: false },
  status: 404,
  reason: 'NotFound',
});

function raw(name: string, resourceVersion: string, fields: object, metadata: object = {}) {
  return { metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion, ...metadata }, ...fields };
}

function list(...items: readonly unknown[]) {
  return { kind: 'List', metadata: { resourceVersion: '10' }, items };
}

describe('the caches of workloads', () => {
  let transport: FakeTransport;
  let clock: FakeClock;
  let logger: RecordingLogger;
  let changes: string[];
  const stop = { controller: new AbortController(), running: Promise.resolve<unknown>(undefined) };

  beforeEach(() => {
    transport = createFakeTransport();
    clock = createFakeClock();
    logger = createRecordingLogger();
    changes = [];
    stop.controller = new AbortController();
  });

  afterEach(async () => {
    stop.controller.abort();
    await clock.flush();
    await stop.running;
  });

  async function start(watched: readonly string[] = []): Promise<WorkloadCaches> {
    const caches = createWorkloadCaches({ transport, clock, random: () => 0, logger }, watched);
    caches.workloads.onChange(({ type, object, initial }) =>
      changes.push(`${type} ${object.kind} ${object.metadata.name}${initial ? ' initially' : ''}`),
    );
    stop.running = Promise.all(caches.reflectors.map((reflector) => reflector.run(stop.controller.signal)));
    await clock.flush();
    return caches;
  }

  function watchOf(plural: string): FakeWatch {
    const found = transport.watches.find(({ request }) => request.path.includes(`/${plural}?`));
    if (found === undefined) throw new Error(`${plural} are not watched`);
    return found;
  }

  it('know who uses a Secret, by kind, then name', async () => {
    const pod = raw('one', '5', using('db'));
    const owned = raw('two', '6', using('db'), {
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'x', controller: true }],
    });
    transport.script(
      list(
        raw('b', '1', { spec: { template: using('db') } }),
        raw('a', '2', { spec: { template: using('db') } }),
        raw('c', '3', { spec: { template: using('other') } }),
        raw('a', '4', { spec: { template: using('db') } }, { namespace: 'cart' }),
      ),
      list(),
      list(),
      noRollouts,
      list(),
      list(),
      list(pod, owned),
    );
    const { workloads, reflectors } = await start();

    const users = workloads.usersOf('shop', 'db').map(({ kind, metadata }) => `${kind} ${metadata.name}`);

    expect(reflectors.every((reflector) => reflector.synced)).toBe(true);
    expect(users).toEqual(['Deployment a', 'Deployment b', 'Pod one']);
    expect(workloads.get('Deployment', 'cart', 'a')?.metadata.namespace).toBe('cart');
    expect(workloads.get('Pod', 'shop', 'two')).toBeUndefined();
    expect(changes.filter((change) => !change.endsWith('initially'))).toEqual([]);
  });

  it('tell of changes that matter, and have the newest version of what changed otherwise', async () => {
    const deployment = (resourceVersion: string, more: object = {}) =>
      raw('a', resourceVersion, { spec: { template: using('db'), ...more } }, { labels: { version: resourceVersion } });
    transport.script(list(deployment('1')));
    const { workloads } = await start();

    watchOf('deployments').send({ type: 'MODIFIED', object: deployment('11') });
    await clock.flush();
    const quiet = [...changes];
    const version = workloads.get('Deployment', 'shop', 'a')?.metadata.resourceVersion;
    watchOf('deployments').send({ type: 'MODIFIED', object: deployment('12', { paused: true }) });
    watchOf('deployments').send({ type: 'DELETED', object: deployment('13') });
    await clock.flush();

    expect(quiet).toEqual(['added Deployment a initially']);
    expect(version).toBe('11');
    expect(changes.slice(1)).toEqual(['updated Deployment a', 'deleted Deployment a']);
    expect(workloads.usersOf('shop', 'db')).toEqual([]);
  });

  it('look only at the namespaces that are watched', async () => {
    await start(['shop', 'cart']);

    const paths = transport.calls.map(({ path }) => path.replace(/\?.*/, ''));

    expect(paths).toHaveLength(14);
    expect(paths).toContain('/apis/argoproj.io/v1alpha1/namespaces/cart/rollouts');
    expect(paths.every((path) => /\/namespaces\/(?:shop|cart)\//.test(path))).toBe(true);
  });
});
