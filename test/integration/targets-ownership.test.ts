import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { operatorIdentity } from '../operator/install.ts';
import { sumMetric } from '../operator/operator-process.ts';
import { holds, label, mark, target } from './targets-support.ts';
import { operatorUser, readAudit, startWorld, type World } from './world.ts';

let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  await world.aws.put(shared, 'one');
  namespace = await world.namespace();
});
afterAll(() => world.stop());

/** In the backend, which all files share. */
const shared = `targets-ownership-${randomUUID()}`;
const fresh = (): string => `r-${randomUUID().slice(0, 8)}`;
const data = { password: { secret: shared } };
const reference = (name: string, ownership: string, into = namespace): Promise<unknown> =>
  world.reference(into, name, { data, target: { ownership } });

async function synced(ownership: string): Promise<string> {
  const name = fresh();
  await reference(name, ownership);
  await world.waitReady(namespace, name, 'Synced');
  return name;
}

const isGone = (kind: string, where: { readonly name: string; readonly namespace?: string }): Promise<void> =>
  eventually(`${kind} ${where.name} is gone`, async () => {
    expect(await world.api.find(kind, where)).toBeUndefined();
  });
const inEffect = (name: string, ownership: string): Promise<void> =>
  eventually(`${ownership} is in effect`, async () => {
    expect((await world.status(namespace, name)).target?.ownership).toBe(ownership);
  });

describe('ownership Owner', () => {
  test.each(['background', 'foreground'])('takes the Secret along by deletion in the %s', async (cascade) => {
    const name = await synced('Owner');

    await world.kubectl('delete', 'sref', name, '-n', namespace, `--cascade=${cascade}`, '--timeout=30s');

    await isGone('Secret', { namespace, name });
    expect(await world.api.find('SecretReference', { namespace, name })).toBeUndefined();
  });
});

describe('ownership Orphan', () => {
  test('leaves the Secret as it is', async () => {
    const name = await synced('Orphan');
    const before = await target(world, namespace, name);
    expect(before.metadata.ownerReferences).toEqual([]);

    await world.api.delete('SecretReference', { namespace, name });
    // What a later reference causes comes after what the deletion caused.
    await world.waitReady(namespace, await synced('Owner'), 'Synced');

    expect(await target(world, namespace, name)).toEqual(before);
  });

  test('is in effect only when the status says so, which it does after the owner reference went', async () => {
    const name = await synced('Owner');
    await world.operator().stop();
    await reference(name, 'Orphan');
    await expect(world.api.delete('SecretReference', { namespace, name })).rejects.toThrow(
      'ownership Orphan is not in effect yet',
    );
    expect((await world.status(namespace, name)).target?.ownership).toBe('Owner');
    await world.startOperator();

    await inEffect(name, 'Orphan');

    const { metadata } = await target(world, namespace, name);
    expect(metadata.ownerReferences).toEqual([]);
    expect(metadata.labels[label]).toBe('owned');
    expect(metadata.annotations[mark('previous')]).toBe('');
    await world.api.delete('SecretReference', { namespace, name });
    await isGone('SecretReference', { namespace, name });
    await reference(name, 'Owner');
    await world.waitReady(namespace, name, 'TargetConflict');
    await holds(world, namespace, name, { password: 'one' });
  });

  test('becomes Owner again, and then the Secret goes along', async () => {
    const name = await synced('Orphan');
    await reference(name, 'Owner');

    await inEffect(name, 'Owner');

    expect((await target(world, namespace, name)).metadata.ownerReferences).toMatchObject([{ name, controller: true }]);
    await world.api.delete('SecretReference', { namespace, name });
    await isGone('Secret', { namespace, name });
  });

  test('keeps owner references of others', async () => {
    const name = await synced('Owner');
    const owner = await world.api.create({ kind: 'ConfigMap', metadata: { name, namespace } });
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name, uid: owner.metadata.uid };
    const { ownerReferences } = (await target(world, namespace, name)).metadata;
    const both = { metadata: { ownerReferences: [...ownerReferences, other] } };
    await world.api.patch('Secret', { namespace, name }, both);
    await reference(name, 'Orphan');

    await inEffect(name, 'Orphan');

    expect((await target(world, namespace, name)).metadata.ownerReferences).toEqual([other]);
  });
});

describe('without the backend', () => {
  test('a reference is deleted with its Secret (L7), and one that names another secret keeps its Secret', async () => {
    const [deleted, changed] = [await synced('Owner'), await synced('Owner')];
    world.backend.handle(() => 'reset');
    try {
      await world.api.delete('SecretReference', { namespace, name: deleted });
      await isGone('Secret', { namespace, name: deleted });
      await world.reference(namespace, changed, { data: { password: { secret: 'never-asked-before' } } });

      const condition = await world.waitReady(namespace, changed, 'ManagerUnavailable');

      expect(condition.status).toBe('False');
      expect((await target(world, namespace, changed)).data).toEqual({ password: 'one' });
      expect((await world.status(namespace, changed)).versions).toMatchObject([{ secret: shared }]);
    } finally {
      world.healBackend();
    }
  });
});

describe('without the backend, and with an operator that has just started', () => {
  test('a reference is Ready while its Secret is there, and not when it is gone', async () => {
    const [kept, lost] = [await synced('Owner'), await synced('Owner')];
    await world.operator().stop();
    world.backend.handle(() => 'reset');
    try {
      await world.startOperator();
      await world.api.delete('Secret', { namespace, name: lost });

      const { message } = await world.waitReady(namespace, lost, 'ManagerUnavailable');

      expect(message).toContain(`Secret ${lost} is gone`);
      await eventually('it is known that the backend is away', async () => {
        const { conditions } = await world.status(namespace, kept);
        expect(conditions).toContainEqual(expect.objectContaining({ type: 'Stale', status: 'True' }));
      });
      expect((await world.ready(namespace, kept)).status).toBe('True');
    } finally {
      world.healBackend();
    }
    await holds(world, namespace, lost, { password: 'one' });
    await world.waitReady(namespace, lost, 'Synced');
  });
});

describe('a namespace goes', () => {
  /** With a Secret of each ownership in it, and an Orphan that is not in effect yet where no operator runs. */
  async function filled(running: boolean): Promise<string> {
    const into = await world.namespace();
    for (const ownership of ['Owner', 'Orphan']) await reference(ownership.toLowerCase(), ownership, into);
    await reference('switched', 'Owner', into);
    for (const name of ['owner', 'orphan', 'switched']) await world.waitReady(into, name, 'Synced');
    if (!running) await world.operator().stop();
    await reference('switched', 'Orphan', into);
    return into;
  }

  test.each([
    ['while the operator runs', true],
    ['while no operator runs', false],
  ])('%s', async (_when, running) => {
    const into = await filled(running);
    try {
      await world.kubectl('delete', 'namespace', into, '--timeout=60s');

      expect(await world.api.find('Namespace', { name: into })).toBeUndefined();
    } finally {
      if (!running) await world.startOperator();
    }
  });
});

describe('a reference in a namespace of the system or of the operator', () => {
  const closed = ['kube-system', 'kube-public', 'kube-node-lease', operatorIdentity.namespace];

  test.each(closed)('is refused in %s', async (into) => {
    await expect(reference('api-db', 'Owner', into)).rejects.toThrow(`no reference may stand in namespace ${into}`);
  });

  test('gets no Secret from the operator either, where the policy is missing', async () => {
    await world.kubectl('delete', 'validatingadmissionpolicybinding', 'keyferry-references');
    for (const into of closed) {
      await eventually(`the policy no longer acts in ${into}`, () => reference('api-db', 'Owner', into));

      const { message } = await world.waitReady(into, 'api-db', 'TargetConflict');

      expect(message).toContain(`namespace ${into} belongs to the system or to Keyferry itself`);
      expect(await world.api.find('Secret', { namespace: into, name: 'api-db' })).toBeUndefined();
    }
  });
});

describe('a restart of the operator', () => {
  test('reads no Secret of ours and writes nothing', async () => {
    const into = await world.namespace();
    const names = ['owner', 'orphan', 'another'];
    for (const name of names) await reference(name, name === 'orphan' ? 'Orphan' : 'Owner', into);
    for (const name of names) await world.waitReady(into, name, 'Synced');
    await world.operator().stop();
    const before = (await readAudit(world.cluster)).length;
    const secrets = await Promise.all(names.map((name) => target(world, into, name)));

    const operator = await world.startOperator();

    const last = await synced('Owner');
    await eventually('nothing is left to do', async () => {
      const text = await operator.metrics();
      const busy = ['workqueue_depth', 'controller_runtime_active_workers'].map((name) => sumMetric(text, name, {}));
      expect(busy).toEqual([0, 0]);
    });
    const entries = (await readAudit(world.cluster)).slice(before).filter(({ user }) => user.username === operatorUser);
    const about = (name: string): readonly string[] =>
      entries.filter(({ objectRef }) => objectRef.name === name).map(({ verb }) => verb);
    expect(about(last)).toContain('create');
    expect(entries.filter(({ objectRef }) => objectRef.namespace === into)).toEqual([]);
    expect(await Promise.all(names.map((name) => target(world, into, name)))).toEqual(secrets);
  });
});
