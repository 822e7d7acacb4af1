import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { encoded, foreignSecret, holds, label, mark, target } from './targets-support.ts';
import { startWorld, type World } from './world.ts';

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
const shared = `targets-conflict-${randomUUID()}`;
const fresh = (): string => `r-${randomUUID().slice(0, 8)}`;
const data = { password: { secret: shared } };
const reference = (name: string, spec: Readonly<Record<string, unknown>> = {}): Promise<unknown> =>
  world.reference(namespace, name, { data, ...spec });
const annotate = (name: string, annotations: Readonly<Record<string, string>>): Promise<unknown> =>
  world.api.patch('Secret', { namespace, name }, { metadata: { annotations } });
const adopt = (name: string): Promise<unknown> => annotate(name, { [mark('adopt')]: 'true' });
const conflict = async (name: string): Promise<string> =>
  (await world.waitReady(namespace, name, 'TargetConflict')).message;
const remove = (kind: string, name: string): Promise<void> => world.api.delete(kind, { namespace, name });

/** Deletes a reference and leaves what it owns. */
const orphan = (name: string): Promise<string> =>
  world.kubectl('delete', 'sref', name, '-n', namespace, '--cascade=orphan');

describe('a Secret that exists and is not ours', () => {
  test('is not touched, its owner is named, and the reference goes on once it is deleted', async () => {
    const name = fresh();
    await foreignSecret(world, namespace, name);
    await world.kubectl('label', 'secret', name, '-n', namespace, 'app.kubernetes.io/managed-by=Helm');
    const before = await target(world, namespace, name);
    await reference(name);

    const message = await conflict(name);

    expect(message).toContain('belongs to somebody else (written by Helm)');
    expect(message).toContain(`kubectl annotate secret -n ${namespace} ${name} keyferry.io/adopt=true`);
    expect(await target(world, namespace, name)).toEqual(before);
    expect((await world.status(namespace, name)).target).toBeUndefined();
    await remove('Secret', name);
    await holds(world, namespace, name, { password: 'one' });
    await world.waitReady(namespace, name, 'Synced');
  });

  test('is taken over where it says so, and what is not ours leaves it', async () => {
    const name = fresh();
    await foreignSecret(world, namespace, name, { data: { theirs: 'x', password: 'old' } });
    await annotate(name, { note: 'stays' });
    const before = await target(world, namespace, name);
    await adopt(name);
    await reference(name);

    const { metadata } = await holds(world, namespace, name, { password: 'one' });

    await world.waitReady(namespace, name, 'Synced');
    expect(metadata.uid).toBe(before.metadata.uid);
    expect(metadata.labels).toEqual({ [label]: 'owned' });
    expect(metadata.annotations).toMatchObject({ note: 'stays', [mark('previous')]: 'unknown' });
    await remove('SecretReference', name);
    await eventually('the adopted Secret goes with the reference', async () => {
      expect(await world.api.find('Secret', { namespace, name })).toBeUndefined();
    });
  });

  test('is not taken from the controller that it goes with', async () => {
    const name = fresh();
    const owner = await world.api.create({ kind: 'ConfigMap', metadata: { name, namespace } });
    const ownerReferences = [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name,
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: false,
      },
    ];
    const annotations = { [mark('adopt')]: 'true' };
    await world.api.create({ kind: 'Secret', metadata: { name, namespace, annotations, ownerReferences } });
    const before = await target(world, namespace, name);
    await reference(name);

    expect(await conflict(name)).toContain(`its controller, ConfigMap ${name}`);

    expect(await target(world, namespace, name)).toEqual(before);
  });

  test('of another type can not be taken over', async () => {
    const name = fresh();
    await foreignSecret(world, namespace, name, { type: 'example.com/own', annotations: { [mark('adopt')]: 'true' } });
    const before = await target(world, namespace, name);
    await reference(name);

    expect(await conflict(name)).toContain("has type example.com/own, not Opaque, and a type can't change");

    expect(await target(world, namespace, name)).toEqual(before);
  });
});

describe('ownership goes by uid', () => {
  test('a reference that was created again does not inherit the Secret of the one before', async () => {
    const name = fresh();
    await reference(name);
    await world.waitReady(namespace, name, 'Synced');
    await orphan(name);
    const before = await eventually('the Secret is let go', async () => {
      const seen = await target(world, namespace, name);
      expect(seen.metadata.ownerReferences).toEqual([]);
      return seen;
    });
    await reference(name);

    const message = await conflict(name);

    const uid = before.metadata.annotations[mark('reference-uid')];
    expect(message).toContain(`belongs to an earlier SecretReference ${namespace}/${name}, which is gone (uid ${uid})`);
    expect(await target(world, namespace, name)).toEqual(before);
    await adopt(name);
    await world.waitReady(namespace, name, 'Synced');
    const after = await target(world, namespace, name);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.annotations[mark('reference-uid')]).not.toBe(uid);
  });

  test('a reference that is deleted and created again at once ends with a Secret of its own', async () => {
    const name = fresh();
    await reference(name);
    await world.waitReady(namespace, name, 'Synced');
    const before = await target(world, namespace, name);

    await remove('SecretReference', name);
    await reference(name);

    await eventually('there is another Secret', async () => {
      const after = await target(world, namespace, name);
      expect(after.metadata.uid).not.toBe(before.metadata.uid);
      expect(after.data).toEqual({ password: 'one' });
    });
    await world.waitReady(namespace, name, 'Synced');
  });
});

describe('two references to one Secret', () => {
  test('the older has it, the other says so, and takes over when the older goes', async () => {
    const [older, younger, name] = [fresh(), fresh(), fresh()];
    await reference(older, { target: { name } });
    await world.waitReady(namespace, older, 'Synced');
    await reference(younger, { data: { other: { secret: shared } }, target: { name } });

    expect(await conflict(younger)).toContain(`is the target of SecretReference ${older}, which is older`);

    await world.reference(namespace, older, { data: { moved: { secret: shared } }, target: { name } });
    await holds(world, namespace, name, { moved: 'one' });
    expect(await conflict(younger)).toContain(older);
    await remove('SecretReference', older);
    await holds(world, namespace, name, { other: 'one' });
    await world.waitReady(namespace, younger, 'Synced');
  });

  test('made in the same moment: exactly one has it, and keeps it through a rotation', async () => {
    const pairs = Array.from({ length: 6 }, () => ({ name: fresh(), names: [fresh(), fresh()] }));
    await Promise.all(pairs.flatMap(({ name, names }) => names.map((each) => reference(each, { target: { name } }))));
    const reasons = async (names: readonly string[]): Promise<readonly string[]> => {
      const conditions = await Promise.all(names.map((each) => world.ready(namespace, each)));
      return conditions.map(({ reason }) => reason).toSorted();
    };
    const decided = (): Promise<void> =>
      eventually('one of each two is synced', async () => {
        for (const { names } of pairs) expect(await reasons(names)).toEqual(['Synced', 'TargetConflict']);
      });
    await decided();

    await world.aws.update(shared, 'two');

    for (const { name } of pairs) await holds(world, namespace, name, { password: 'two' });
    await decided();
    await world.aws.update(shared, 'one');
    for (const { name } of pairs) await holds(world, namespace, name, { password: 'one' });
  });
});

describe('a Secret of ours', () => {
  test('that was made immutable by hand is a conflict once it needs other values', async () => {
    const name = fresh();
    const secret = `immutable/${name}`;
    await world.aws.put(secret, 'one');
    await world.reference(namespace, name, { data: { password: { secret } } });
    await world.waitReady(namespace, name, 'Synced');
    await world.api.patch('Secret', { namespace, name }, { immutable: true });
    await world.aws.update(secret, 'two');

    expect(await conflict(name)).toContain('is immutable and holds other values: delete it, and it is made anew');

    expect((await target(world, namespace, name)).data).toEqual({ password: 'one' });
    await remove('Secret', name);
    await holds(world, namespace, name, { password: 'two' });
    await world.waitReady(namespace, name, 'Synced');
  });

  test('that somebody made with another type before we came is not touched', async () => {
    const name = fresh();
    const secret = `type/${name}`;
    await world.aws.put(secret, 'one');
    await world.operator().stop();
    const metadata = { name, namespace, annotations: { [mark('adopt')]: 'true' } };
    const type = 'kubernetes.io/basic-auth';
    await world.api.create({ kind: 'Secret', metadata, type, data: encoded({ username: 'x', password: 'y' }) });
    await world.reference(namespace, name, { data: { password: { secret } } });

    await world.startOperator();

    expect(await conflict(name)).toContain(`has type ${type}, not Opaque`);
    expect((await target(world, namespace, name)).data).toEqual({ username: 'x', password: 'y' });
  });

  test('gets a write again that a person was faster than', async () => {
    const name = fresh();
    const secret = `race/${name}`;
    await world.aws.put(secret, 'start');
    await world.reference(namespace, name, { data: { password: { secret } } });
    await world.waitReady(namespace, name, 'Synced');
    const annotations = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) await annotate(name, { note: String(round) });
    };

    await Promise.all([annotations(), annotations(), world.aws.update(secret, 'end')]);

    const { metadata } = await holds(world, namespace, name, { password: 'end' });
    expect(metadata.annotations['note']).toBe('59');
    await eventually('the status speaks of the Secret as it is', async () => {
      const [status, seen] = await Promise.all([world.status(namespace, name), target(world, namespace, name)]);
      expect(status.target?.resourceVersion).toBe(seen.metadata.resourceVersion);
    });
  });
});
