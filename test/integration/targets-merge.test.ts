import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { encoded, foreignSecret, holds, label, mark, target, watchSecret } from './targets-support.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
});
afterAll(() => world.stop());

const consent = { [mark('merge')]: 'true' };
const fresh = (): string => `s-${randomUUID().slice(0, 8)}`;
const secretOf = (name: string): string => `merge/${name}`;

/** A Secret of somebody else that consents to merged keys, with the key `theirs`. */
async function sharedSecret(): Promise<string> {
  const name = fresh();
  await foreignSecret(world, namespace, name, { annotations: consent });
  await world.aws.put(secretOf(name), 'one');
  return name;
}

/** A reference that merges `keys`, all of one secret, into the Secret `into`. */
async function merge(name: string, into: string, keys: readonly string[], ownership = 'Merge'): Promise<void> {
  const data = Object.fromEntries(keys.map((key) => [key, { secret: secretOf(into) }]));
  await world.reference(namespace, name, { data, target: { name: into, ownership } });
}

async function merged(into: string, ...keys: readonly string[]): Promise<string> {
  const name = fresh();
  await merge(name, into, keys);
  await world.waitReady(namespace, name, 'Synced');
  return name;
}

const remove = (kind: string, name: string): Promise<void> => world.api.delete(kind, { namespace, name });

/** What a Secret says that we have nothing in. */
async function letGo(into: string, data: Readonly<Record<string, string>>): Promise<void> {
  await holds(world, namespace, into, data);
  await eventually('nothing of ours is left', async () => {
    const { metadata } = await target(world, namespace, into);
    expect(metadata.labels).toEqual({});
    expect(metadata.annotations).toEqual(consent);
    expect(metadata.managedFields.filter(({ manager }) => manager.startsWith('keyferry-'))).toEqual([]);
    expect(metadata.ownerReferences).toEqual([]);
  });
}

describe('merged keys', () => {
  test('need consent on the Secret itself', async () => {
    const into = fresh();
    await foreignSecret(world, namespace, into);
    await world.aws.put(secretOf(into), 'one');
    const before = await target(world, namespace, into);
    const name = fresh();
    await merge(name, into, ['ours']);

    const { message } = await world.waitReady(namespace, name, 'TargetConflict');

    expect(message).toContain(`kubectl annotate secret -n ${namespace} ${into} keyferry.io/merge=true`);
    expect(await target(world, namespace, into)).toEqual(before);
    await world.api.patch('Secret', { namespace, name: into }, { metadata: { annotations: consent } });
    await holds(world, namespace, into, { theirs: 'x', ours: 'one' });
  });

  test('are written beside those of others, rotate, and go with the reference', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'ours');
    const { metadata } = await holds(world, namespace, into, { theirs: 'x', ours: 'one' });
    expect(metadata.labels).toEqual({ [label]: 'merged' });
    expect(metadata.ownerReferences).toEqual([]);
    await world.api.patch('Secret', { namespace, name: into }, { data: encoded({ theirs: 'y', more: 'z' }) });
    await world.aws.update(secretOf(into), 'two');
    await holds(world, namespace, into, { theirs: 'y', more: 'z', ours: 'two' });

    await remove('SecretReference', name);

    await letGo(into, { theirs: 'y', more: 'z' });
  });

  test('leave a Secret without data as they found it', async () => {
    const into = fresh();
    await foreignSecret(world, namespace, into, { annotations: consent, data: {} });
    await world.aws.put(secretOf(into), 'one');
    const name = await merged(into, 'ours');

    expect((await target(world, namespace, into)).data).toEqual({ ours: 'one' });

    await remove('SecretReference', name);

    await letGo(into, {});
  });

  test('leave in one moment with the spec, those that stay get their new values in the same one', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'a', 'b');
    const watch = await watchSecret(world, namespace, into);
    const other = `${secretOf(into)}-other`;
    await world.aws.put(other, 'two');
    try {
      const data = { b: { secret: other }, c: { secret: other } };
      await world.reference(namespace, name, { data, target: { name: into, ownership: 'Merge' } });
      await holds(world, namespace, into, { theirs: 'x', b: 'two', c: 'two' });
      await world.waitReady(namespace, name, 'Synced');
      await eventually('the watch has seen it', () => expect(watch.states.at(-1)?.data).toHaveProperty('c'));
    } finally {
      await watch.stop();
    }

    const allowed = [
      { theirs: 'x', a: 'one', b: 'one' },
      { theirs: 'x', b: 'two', c: 'two' },
    ];
    for (const { data } of watch.states) expect(allowed).toContainEqual(data);
  });

  test('leave alone when only one of them left the spec', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'a', 'b');

    await merge(name, into, ['a']);

    await holds(world, namespace, into, { theirs: 'x', a: 'one' });
    expect((await world.waitReady(namespace, name, 'Synced')).status).toBe('True');
  });

  test('that somebody removed, and a label that somebody removed, come back', async () => {
    const into = await sharedSecret();
    await merged(into, 'ours');
    await world.api.patch('Secret', { namespace, name: into }, { data: { ours: null } });
    await holds(world, namespace, into, { theirs: 'x', ours: 'one' });

    await world.api.patch('Secret', { namespace, name: into }, { metadata: { labels: { [label]: null } } });

    await eventually('the label is back', async () => {
      expect((await target(world, namespace, into)).metadata.labels).toEqual({ [label]: 'merged' });
    });
  });

  test('that somebody edited are theirs: that is a conflict, never a fight', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'ours');
    await world.api.patch('Secret', { namespace, name: into }, { data: encoded({ ours: 'edited' }) });

    const { message } = await world.waitReady(namespace, name, 'TargetConflict');

    expect(message).toContain('key ours from ');
    expect((await target(world, namespace, into)).data).toEqual({ theirs: 'x', ours: 'edited' });
  });
});

describe('a reference that is deleted and created again', () => {
  test('ends with its keys, under its new uid', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'ours');
    const marks = async (): Promise<readonly string[]> =>
      Object.keys((await target(world, namespace, into)).metadata.annotations).filter((key) => key !== mark('merge'));
    const before = await marks();

    await remove('SecretReference', name);
    await merge(name, into, ['ours']);

    await world.waitReady(namespace, name, 'Synced');
    const { metadata } = await world.api.get('SecretReference', { namespace, name });
    await eventually('only the new reference has keys there', async () => {
      const wanted = ['content', 'merged', 'previous'].map((name) => mark(`${name}.${metadata.uid}`));
      expect((await marks()).toSorted()).toEqual(wanted);
    });
    expect(before).not.toEqual(await marks());
    await holds(world, namespace, into, { theirs: 'x', ours: 'one' });
  });
});

describe('two references', () => {
  test('merge different keys into one Secret, and each takes back its own', async () => {
    const into = await sharedSecret();
    const [a, b] = [await merged(into, 'a'), await merged(into, 'b')];
    await holds(world, namespace, into, { theirs: 'x', a: 'one', b: 'one' });
    await world.aws.update(secretOf(into), 'two');
    await holds(world, namespace, into, { theirs: 'x', a: 'two', b: 'two' });

    await remove('SecretReference', a);
    await holds(world, namespace, into, { theirs: 'x', b: 'two' });
    expect((await target(world, namespace, into)).metadata.labels).toEqual({ [label]: 'merged' });
    await remove('SecretReference', b);

    await letGo(into, { theirs: 'x' });
  });

  test('do not share a key, though both would write equal bytes', async () => {
    const into = await sharedSecret();
    const first = await merged(into, 'same');
    const second = fresh();
    await merge(second, into, ['same', 'more']);

    const { message } = await world.waitReady(namespace, second, 'TargetConflict');

    expect(message).toContain(`key same from SecretReference ${first}`);
    await world.aws.update(secretOf(into), 'two');
    await holds(world, namespace, into, { theirs: 'x', same: 'two' });
    await remove('SecretReference', first);
    await holds(world, namespace, into, { theirs: 'x', same: 'two', more: 'two' });
    await world.waitReady(namespace, second, 'Synced');
  });
});

describe('a merge', () => {
  test('into a Secret that does not exist waits for it', async () => {
    const into = fresh();
    await world.aws.put(secretOf(into), 'one');
    const name = fresh();
    await merge(name, into, ['ours']);

    const { message } = await world.waitReady(namespace, name, 'TargetConflict');

    expect(message).toContain(`Secret ${into} does not exist`);
    expect(await world.api.find('Secret', { namespace, name: into })).toBeUndefined();
    await foreignSecret(world, namespace, into, { annotations: consent });
    await holds(world, namespace, into, { theirs: 'x', ours: 'one' });
  });

  test('into the Secret of an Orphan that is gone is refused with its name', async () => {
    const into = fresh();
    await world.aws.put(secretOf(into), 'one');
    await merge(into, into, ['whole'], 'Orphan');
    await world.waitReady(namespace, into, 'Synced');
    await remove('SecretReference', into);
    await world.api.patch('Secret', { namespace, name: into }, { metadata: { annotations: consent } });
    const name = fresh();
    await merge(name, into, ['ours']);

    const { message } = await world.waitReady(namespace, name, 'TargetConflict');

    expect(message).toContain(`belongs whole to SecretReference ${namespace}/${into}`);
  });

  test('that becomes ownership Owner keeps its keys until adoption gives it the whole Secret', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'ours');
    await merge(name, into, ['ours', 'more'], 'Owner');
    const { message } = await world.waitReady(namespace, name, 'TargetConflict');
    expect(message).toContain('keyferry.io/adopt=true');
    expect((await target(world, namespace, into)).data).toEqual({ theirs: 'x', ours: 'one' });
    expect((await world.status(namespace, name)).target?.ownership).toBe('Merge');

    await world.api.patch(
      'Secret',
      { namespace, name: into },
      { metadata: { annotations: { [mark('adopt')]: 'true' } } },
    );

    const { metadata } = await holds(world, namespace, into, { ours: 'one', more: 'one' });
    await world.waitReady(namespace, name, 'Synced');
    expect(Object.keys(metadata.annotations).filter((key) => key.startsWith(mark('merged.')))).toEqual([]);
    expect((await target(world, namespace, into)).metadata.labels).toEqual({ [label]: 'owned' });
    expect((await world.status(namespace, name)).target?.ownership).toBe('Owner');
    await remove('SecretReference', name);
    await eventually('the Secret goes with its owner', async () => {
      expect(await world.api.find('Secret', { namespace, name: into })).toBeUndefined();
    });
  });

  test('that was ownership Owner opens the Secret once it consents, and takes back its keys like any other', async () => {
    const into = fresh();
    await world.aws.put(secretOf(into), 'one');
    await merge(into, into, ['a', 'b'], 'Owner');
    await world.waitReady(namespace, into, 'Synced');
    await merge(into, into, ['a', 'b'], 'Merge');
    const { message } = await world.waitReady(namespace, into, 'TargetConflict');
    expect(message).toContain('keyferry.io/merge=true');
    expect((await target(world, namespace, into)).data).toEqual({ a: 'one', b: 'one' });
    await world.api.patch('Secret', { namespace, name: into }, { metadata: { annotations: consent } });
    await world.waitReady(namespace, into, 'Synced');
    const { metadata } = await target(world, namespace, into);
    expect(metadata.labels).toEqual({ [label]: 'merged' });
    expect(metadata.ownerReferences).toEqual([]);
    await world.api.patch('Secret', { namespace, name: into }, { data: encoded({ theirs: 'x' }) });
    await world.aws.update(secretOf(into), 'two');
    await holds(world, namespace, into, { theirs: 'x', a: 'two', b: 'two' });
    await merge(into, into, ['a'], 'Merge');
    await holds(world, namespace, into, { theirs: 'x', a: 'two' });

    await remove('SecretReference', into);

    await letGo(into, { theirs: 'x' });
  });
});

describe('while no operator runs', () => {
  test('merged keys of a deleted reference stay, and are taken back at its start', async () => {
    const into = await sharedSecret();
    const name = await merged(into, 'ours');
    const stays = await merged(into, 'stays');
    await world.operator().stop();
    await remove('SecretReference', name);
    expect((await target(world, namespace, into)).data).toEqual({ theirs: 'x', ours: 'one', stays: 'one' });

    await world.startOperator();

    await holds(world, namespace, into, { theirs: 'x', stays: 'one' });
    await remove('SecretReference', stays);
    await letGo(into, { theirs: 'x' });
  });
});
