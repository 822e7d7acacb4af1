import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clusterSecretManagerSpecSchema, secretManagerSpecSchema } from '../../api/v1/secret-manager.ts';
import type { EmbeddedBackend } from '../../managers/embedded/backend.ts';
import { createManager } from '../../managers/registry.ts';
import { createSessions } from '../../managers/sessions.ts';
import { ScriptedManager } from '../../managers/source/scripted-manager.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { buildMetadata } from '../testing/builders.ts';
import { createRecordingClient } from '../testing/recording-client.ts';
import type { Credentials } from './credentials.ts';
import { createDirectory } from './directory.ts';
import type { ManagerObject } from './manager-object.ts';
import { createOutages } from './outages.ts';
import { createIdentityProbe } from './probe.ts';
import { type ManagerScope, reconcileManager } from './reconcile.ts';
import { nextManagerStatus } from './status.ts';

const KEY = 'SecretManager/shop/aws';

/** A manager whose object and credentials a test changes. */
function createBench() {
  const clock = createFakeClock();
  const requeued: string[] = [];
  const client = createRecordingClient(() => ({ metadata: buildMetadata({ name: 'aws' }) }));
  const state: { object: ManagerObject; credentials: Credentials } = {
    object: managerOf(1, 'keys'),
    credentials: { state: 'present', version: 'keys:1', data: new Map() },
  };
  const directory = createDirectory(() => true);
  const outages = createOutages(() => undefined);
  const scope: ManagerScope = {
    client,
    find: () => state.object,
    directory,
    sessions: createSessions({ clock, random: () => 0.5, logger: silentLogger, onChange: () => undefined }),
    credentials: { read: () => state.credentials, release: () => undefined, close: () => undefined },
    probe: createIdentityProbe(() => undefined),
    outages,
    createManager: () => new ScriptedManager(clock),
    embedded: undefined,
    requeueReferences: (key) => requeued.push(key),
    operatorNamespace: 'keyferry',
    clusterUid: () => 'cluster',
    trustedLabels: new Set(),
    watchNamespaces: [],
    clock,
    logger: silentLogger,
  };
  return {
    clock,
    client,
    state,
    directory,
    outages,
    requeued,
    scope,
    reconcile: () => reconcileManager(scope, KEY, new AbortController().signal),
  };
}

function managerOf(generation: number, secret: string): ManagerObject {
  return {
    kind: 'SecretManager',
    metadata: buildMetadata({ name: 'aws', generation }),
    spec: secretManagerSpecSchema.parse({ aws: { auth: { secretRef: { name: secret } } } }),
    status: {},
  };
}

describe('a manager whose spec names other credentials', () => {
  it('security rule 9: serves nobody by its old rules and credentials until the new ones are read', async () => {
    const { state, directory, requeued, reconcile } = createBench();
    await reconcile();
    expect(directory.lookup(KEY).state).toBe('ready');
    requeued.length = 0;
    state.object = managerOf(2, 'other-keys');
    state.credentials = { state: 'loading' };

    await reconcile();

    expect(directory.lookup(KEY).state).toBe('starting');
    expect(requeued).toEqual([KEY]);
  });
});

describe('a manager of an operator that works in some namespaces', () => {
  it('says in which, for those who put elsewhere', async () => {
    const { client, scope, state } = createBench();
    state.object = { ...state.object, status: { conditions: [] } };

    await reconcileManager({ ...scope, watchNamespaces: ['shop'] }, KEY, new AbortController().signal);

    expect(client.calls).toMatchObject([{ body: { status: { watchNamespaces: ['shop'] } } }]);
  });
});

describe('a manager that could not be asked', () => {
  it('starts without that once its spec is another: nobody may be left to show that it answers now', async () => {
    const { state, outages, reconcile } = createBench();
    await reconcile();
    for (let tries = 0; tries < 3; tries += 1) outages.note(KEY, { result: 'ManagerUnavailable' });
    await reconcile();
    expect(outages.reasonOf(KEY)).toBe('ManagerUnavailable');
    state.object = managerOf(2, 'keys');

    await reconcile();

    expect(outages.reasonOf(KEY)).toBeUndefined();
  });
});

describe('a manager of an operator that starts again', () => {
  it('writes nothing while its references come back, and counts them after that', async () => {
    const { clock, client, state, reconcile } = createBench();
    const before = {
      problem: undefined,
      outage: undefined,
      identity: undefined,
      usage: { secrets: 2, subscribers: 5 },
    };
    state.object = { ...state.object, status: nextManagerStatus(state.object, before, 'before') };

    expect(await reconcile()).toEqual({ requeueAfter: 10_000 });
    expect(client.calls).toEqual([]);

    await clock.advance(10_000);
    expect(await reconcile()).toEqual({});
    expect(client.calls).toMatchObject([{ body: { status: { secretsInUse: 0, referencesInUse: 0 } } }]);
  });
});

describe('a manager of embedded secrets', () => {
  const CLUSTER_KEY = 'ClusterSecretManager/default';

  /** Its key to seal to is what a test says. */
  function createEmbeddedBench(spec: object) {
    const bench = createBench();
    const keys: { current: ReturnType<EmbeddedBackend['publicKey']> } = { current: { key: 'age1one' } };
    const embedded: EmbeddedBackend = {
      find: () => undefined,
      findObject: () => undefined,
      list: () => [],
      open: () => Promise.reject(new Error('nothing is opened')),
      publicKey: () => keys.current,
    };
    const object: ManagerObject = {
      kind: 'ClusterSecretManager',
      metadata: buildMetadata({ name: 'default', namespace: '' }),
      spec: clusterSecretManagerSpecSchema.parse(spec),
      status: {},
    };
    const scope: ManagerScope = { ...bench.scope, embedded, createManager, find: () => object };
    const reconcile = async (): Promise<object | undefined> => {
      await reconcileManager(scope, CLUSTER_KEY, new AbortController().signal);
      await bench.clock.flush();
      await reconcileManager(scope, CLUSTER_KEY, new AbortController().signal);
      const written = bench.client.calls.at(-1)?.body;
      return z.object({ status: z.looseObject({}) }).safeParse(written).data?.status;
    };
    return { ...bench, keys, scope, reconcile };
  }

  it('says which key it seals to, and a key that changes keeps its session', async () => {
    const { keys, scope, reconcile } = createEmbeddedBench({ embedded: {} });
    expect(await reconcile()).toMatchObject({
      backend: 'embedded',
      publicKey: 'age1one',
      cluster: 'cluster',
      identity: 'secrets kept in this cluster, sealed to age1one',
    });
    const session = scope.sessions.get(CLUSTER_KEY);
    keys.current = { key: 'age1two' };
    expect(await reconcile()).toMatchObject({ publicKey: 'age1two', identity: expect.stringContaining('age1two') });
    expect(scope.sessions.get(CLUSTER_KEY)).toBe(session);
  });

  it('serves references without a key to seal to, and says what is wrong', async () => {
    const { keys, directory, reconcile } = createEmbeddedBench({ embedded: {} });
    keys.current = { problem: 'restore it' };
    expect(await reconcile()).toMatchObject({ conditions: [{ status: 'False', reason: 'SealingKeyMissing' }] });
    expect(directory.lookup(CLUSTER_KEY).state).toBe('ready');
  });

  it('writes nothing while the keys are not read yet', async () => {
    const { keys, client, reconcile } = createEmbeddedBench({ embedded: {} });
    keys.current = undefined;
    await reconcile();
    expect(client.calls).toEqual([]);
  });

  it.each([
    ['needs no access rule for what a namespace keeps itself', { embedded: {} }, undefined],
    ['grants nothing of one namespace for all without a rule', { embedded: { namespace: 'org' } }, []],
    [
      'takes rules without regard to case',
      { embedded: {}, access: [{ namespaces: { names: ['shop'] }, secrets: ['DB/*'] }] },
      [{ namespaces: { names: ['shop'] }, secrets: ['db/*'] }],
    ],
  ])('%s', async (_, spec, access) => {
    const { directory, reconcile } = createEmbeddedBench(spec);
    await reconcile();
    expect(directory.lookup(CLUSTER_KEY)).toMatchObject({ state: 'ready', access });
  });

  it('is broken where the operator keeps no secrets, and says so', async () => {
    const { scope } = createEmbeddedBench({ embedded: {} });
    await reconcileManager({ ...scope, embedded: undefined }, CLUSTER_KEY, new AbortController().signal);
    expect(scope.directory.lookup(CLUSTER_KEY)).toMatchObject({
      state: 'broken',
      message: expect.stringContaining('--embedded=false'),
    });
  });
});
