import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { secretObjectName } from '../../src/api/v1/embedded-name.ts';
import { embeddedManager, keyferry } from '../../src/index.ts';
import { describeManagerContract } from '../contract/manager-contract.ts';
import { createClientManager } from '../../src/managers/embedded/client/client-manager.ts';
import { createSession } from '../../src/managers/embedded/client/session.ts';
import { ManagerError } from '../../src/managers/errors.ts';
import type { SecretManager } from '../../src/managers/manager.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { eventually } from '../operator/eventually.ts';
import { connect, never } from './kube-connection.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const managerSchema = z.object({ status: z.object({ publicKey: z.string() }) });
let world: World;
let namespace: string;

afterAll(() => world?.stop());

/** A cluster whose operator keeps secrets, and a manager of one namespace of it. */
async function start(): Promise<void> {
  world = await startWorld();
  // What the suite makes is more than a namespace may have by default.
  const spec = { embedded: { limits: { secrets: 1000 } } };
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec });
  await eventually('the manager shows its key', async () => {
    managerSchema.parse(await world.api.get('ClusterSecretManager', { name: 'default' }));
  });
  namespace = await world.namespace();
}

const manager = (where: string) => embeddedManager({ kubeconfig: world.cluster.kubeconfig, namespace: where });

describeManagerContract('The embedded manager of the library', async () => {
  await start();
  return {
    manager: manager(namespace),
    unknownVersion: '999',
    previousStage: 'previous',
    tag: async (secret, tags) => {
      const metadata = { name: secretObjectName(secret), namespace, labels: tags };
      await world.apply({ kind: 'VersionedSecret', metadata, spec: { name: secret } });
    },
    allowOnly: (granted) => accessing(granted),
  };
});

/** The manager of a user who may see the secrets of the namespace and ask for reveals, with the verb `access` on one of them. */
async function accessing(granted: string): Promise<SecretManager> {
  const user = 'reader';
  const ours = { apiGroups: ['keyferry.io'] };
  const rules = [
    { ...ours, resources: ['versionedsecrets'], verbs: ['get', 'list'] },
    { ...ours, resources: ['secretreveals'], verbs: ['create', 'get'] },
    { ...ours, resources: ['versionedsecrets'], resourceNames: [secretObjectName(granted)], verbs: ['access'] },
  ];
  const metadata = { name: user, namespace };
  await world.apply(
    { kind: 'Role', metadata, rules },
    {
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  );
  const { client, transport } = connect(world.cluster.kubeconfig, { impersonate: { user } });
  const session = createSession({ client, namespace, clock: systemClock });
  const own = createClientManager(session, { reason: 'a test', close: () => void transport.close() });
  await eventually('what is granted can be read', async () => {
    const [found] = await own.access([{ secret: granted, selector: { kind: 'latest' } }], never);
    if (found instanceof ManagerError) throw found;
  });
  return own;
}

describe('the library, over secrets in the cluster', () => {
  it('finds a secret by any spelling of case, and counts its versions from 1', async () => {
    const own = manager(await world.namespace());
    const { secret } = keyferry(own);
    const value = world.canary();

    const first = await secret('App/Config').put('one');
    const second = await secret('app/CONFIG').put(value);
    const found = await secret('APP/config').latest().resolve();

    expect([first.version, second.version, found.version]).toEqual(['1', '2', '2']);
    expect(found.value.asString()).toBe(value);
    own.close();
  });

  it('gives each of many who put at once a number of its own', async () => {
    const own = manager(await world.namespace());
    const { secret } = keyferry(own);
    await secret('busy').put('0');

    const put = await Promise.all(Array.from({ length: 6 }, (_, index) => secret('busy').put(`value ${index}`)));

    const numbers = put.map(({ version }) => Number(version)).toSorted((a, b) => a - b);
    expect(numbers).toEqual([2, 3, 4, 5, 6, 7]);
    for (const [index, { version }] of put.entries()) {
      expect((await secret('busy').version(version).access()).asString()).toBe(`value ${index}`);
    }
    own.close();
  });
});

itLeaksNothing(() => world);
