import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { encoded, holds, label, mark, type TargetSeen, target, watchSecret } from './targets-support.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
});
afterAll(() => world.stop());

interface Made {
  readonly name: string;
  /** Of the secret in the backend. */
  readonly secret: string;
  readonly seen: TargetSeen;
}

/** A reference with the key `password`, and its Secret. */
async function synced(spec: object = {}): Promise<Made> {
  const name = `r-${randomUUID().slice(0, 8)}`;
  const secret = `targets/${name}`;
  await world.aws.put(secret, 'one');
  await world.reference(namespace, name, { data: { password: { secret } }, ...spec });
  await world.waitReady(namespace, name, 'Synced');
  return { name, secret, seen: await target(world, namespace, name) };
}

const contents = ({ metadata }: TargetSeen): readonly (string | undefined)[] => [
  metadata.annotations[mark('content')],
  metadata.annotations[mark('previous')],
];

async function statusAgrees(name: string): Promise<void> {
  await eventually('the status speaks of the Secret as it is', async () => {
    const [status, { metadata }] = await Promise.all([world.status(namespace, name), target(world, namespace, name)]);
    expect(status.target).toMatchObject({ uid: metadata.uid, resourceVersion: metadata.resourceVersion });
  });
}

describe('a target', () => {
  test('says whose it is, what it holds and which content that is', async () => {
    const { name, secret, seen } = await synced({ template: { metadata: { labels: { team: 'shop' } } } });
    const reference = await world.api.get('SecretReference', { namespace, name });
    const version = (await world.status(namespace, name)).versions?.[0]?.version ?? '';

    expect(seen.data).toEqual({ password: 'one' });
    expect(seen.metadata.labels).toEqual({ [label]: 'owned', team: 'shop' });
    expect(seen.metadata.annotations).toEqual({
      [mark('reference')]: `${namespace}/${name}`,
      [mark('reference-uid')]: reference.metadata.uid,
      [mark('versions')]: `${secret}@${version.slice(0, 8)}`,
      [mark('content')]: expect.stringMatching(/^1:[0-9a-f]{16}$/),
      [mark('previous')]: '',
    });
    expect(seen.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'keyferry.io/v1',
        kind: 'SecretReference',
        name,
        uid: reference.metadata.uid,
        controller: true,
        blockOwnerDeletion: false,
      },
    ]);
    await statusAgrees(name);
  });

  test('is made by a create, never by an apply that would take what exists', async () => {
    const { name } = await synced();

    const writes = (await world.operatorWrites()).filter(
      ({ objectRef }) =>
        objectRef.resource === 'secrets' && objectRef.namespace === namespace && objectRef.name === name,
    );

    expect(writes.map(({ verb }) => verb)).toEqual(['create']);
  });

  test('has its content before a rotation as the previous one', async () => {
    const { name, secret, seen } = await synced();
    await world.aws.update(secret, 'two');

    const after = await holds(world, namespace, name, { password: 'two' });

    const [content, previous] = contents(after);
    expect(previous).toBe(contents(seen)[0]);
    expect(content).not.toBe(previous);
  });

  test('keeps its content when a new version has equal bytes', async () => {
    const { name, secret, seen } = await synced();
    const version = await world.aws.update(secret, 'one');

    const after = await eventually('the new version is named', async () => {
      const now = await target(world, namespace, name);
      expect(now.metadata.annotations[mark('versions')]).toContain(version.slice(0, 8));
      return now;
    });

    expect(contents(after)).toEqual(contents(seen));
  });

  test('keeps its content when only labels change', async () => {
    const { name, secret, seen } = await synced({ template: { metadata: { labels: { team: 'shop', old: 'x' } } } });
    const template = { metadata: { labels: { team: 'cart' }, annotations: { note: 'hello' } } };
    await world.reference(namespace, name, { data: { password: { secret } }, template });
    await world.waitReady(namespace, name, 'Synced');

    const after = await target(world, namespace, name);

    expect(after.metadata.labels).toEqual({ [label]: 'owned', team: 'cart' });
    expect(after.metadata.annotations['note']).toBe('hello');
    expect(contents(after)).toEqual(contents(seen));
  });

  test('keeps its content when a template edit gives equal bytes', async () => {
    const { name, secret, seen } = await synced();
    const template = { data: { password: '{{Secrets.password}}' } };
    await world.reference(namespace, name, { data: { password: { secret } }, template });
    await world.waitReady(namespace, name, 'Synced');

    const after = await target(world, namespace, name);

    expect(after.data).toEqual({ password: 'one' });
    expect(contents(after)).toEqual(contents(seen));
  });

  test('changes its content when a template edit changes bytes', async () => {
    const { name, secret, seen } = await synced();
    const template = { data: { password: 'x{{Secrets.password}}' } };
    await world.reference(namespace, name, { data: { password: { secret } }, template });

    const after = await holds(world, namespace, name, { password: 'xone' });

    expect(contents(after)[1]).toBe(contents(seen)[0]);
  });
});

describe('drift is repaired', () => {
  const patch = (name: string, body: Readonly<Record<string, unknown>>): Promise<unknown> =>
    world.api.patch('Secret', { namespace, name }, body);

  test.each([
    ['an edited value', { data: encoded({ password: 'edited' }) }],
    ['a removed key', { data: { password: null } }],
    ['a key that was added', { data: encoded({ extra: 'x' }) }],
    ['a removed key and one that was added', { data: { password: null, ...encoded({ extra: 'x' }) } }],
  ])('%s, without another content', async (_what, body) => {
    const { name, seen } = await synced();
    await patch(name, body);

    const after = await holds(world, namespace, name, { password: 'one' });

    expect(after.metadata.uid).toBe(seen.metadata.uid);
    expect(contents(after)).toEqual(contents(seen));
    await statusAgrees(name);
  });

  test.each([
    ['removed, so that the Secret leaves our watch', null],
    ['changed', 'merged'],
    ['blanked', ''],
  ])('a label that was %s', async (_how, value) => {
    const { name, seen } = await synced();
    await patch(name, { metadata: { labels: { [label]: value } } });

    const after = await eventually('the label is back', async () => {
      const now = await target(world, namespace, name);
      expect(now.metadata.labels[label]).toBe('owned');
      return now;
    });

    expect(after.metadata.uid).toBe(seen.metadata.uid);
    expect(contents(after)).toEqual(contents(seen));
    await statusAgrees(name);
    await expect(world.ready(namespace, name)).resolves.toMatchObject({ reason: 'Synced' });
  });

  test('a label and a value that were changed at once', async () => {
    const { name } = await synced();
    await patch(name, { metadata: { labels: { [label]: null } }, data: encoded({ password: 'edited', extra: 'x' }) });

    const after = await holds(world, namespace, name, { password: 'one' });

    await eventually('the label is back', async () => {
      expect((await target(world, namespace, name)).metadata.labels[label]).toBe('owned');
    });
    expect(after.metadata.annotations[mark('previous')]).toBe('');
  });

  test('an edited value, without another content, after a version with equal bytes', async () => {
    const { name, secret, seen } = await synced();
    const version = await world.aws.update(secret, 'one');
    await eventually('the new version is named', async () => {
      expect((await world.status(namespace, name)).versions).toMatchObject([{ version }]);
    });
    await patch(name, { data: encoded({ password: 'edited' }) });

    const after = await holds(world, namespace, name, { password: 'one' });

    expect(contents(after)).toEqual(contents(seen));
  });

  test('an owner reference that was removed', async () => {
    const { name, seen } = await synced();
    await patch(name, { metadata: { ownerReferences: [] } });

    await eventually('the owner reference is back', async () => {
      const now = await target(world, namespace, name);
      expect(now.metadata.ownerReferences).toEqual(seen.metadata.ownerReferences);
    });
  });

  test('a Secret that was deleted', async () => {
    const { name, seen } = await synced();
    await world.api.delete('Secret', { namespace, name });

    const after = await holds(world, namespace, name, { password: 'one' });

    expect(after.metadata.uid).not.toBe(seen.metadata.uid);
    expect(contents(after)).toEqual([contents(seen)[0], '']);
    await statusAgrees(name);
  });

  test('but labels and annotations of others stay', async () => {
    const { name, secret } = await synced();
    await patch(name, { metadata: { labels: { theirs: 'a' }, annotations: { 'example.com/note': 'b' } } });
    await world.aws.update(secret, 'two');
    await world.reference(namespace, name, {
      data: { other: { secret } },
      template: { metadata: { labels: { team: 'shop' } } },
    });

    const after = await holds(world, namespace, name, { other: 'two' });

    expect(after.metadata.labels).toMatchObject({ theirs: 'a', team: 'shop' });
    expect(after.metadata.annotations).toMatchObject({ 'example.com/note': 'b' });
  });
});

describe('whoever watches the Secret', () => {
  test('sees keys come and go in one moment (S1)', async () => {
    const name = `r-${randomUUID().slice(0, 8)}`;
    const secret = `targets/${name}`;
    await world.aws.put(secret, 'one');
    await world.reference(namespace, name, { data: { a: { secret }, b: { secret }, c: { secret } } });
    await holds(world, namespace, name, { a: 'one', b: 'one', c: 'one' });
    const watch = await watchSecret(world, namespace, name);
    try {
      await world.aws.update(secret, 'two');
      await holds(world, namespace, name, { a: 'two', b: 'two', c: 'two' });
      await world.reference(namespace, name, { data: { c: { secret }, d: { secret } } });
      await holds(world, namespace, name, { c: 'two', d: 'two' });
      await world.reference(namespace, name, { data: { e: { secret } }, template: { data: { e: 'x{{Secrets.e}}' } } });
      await holds(world, namespace, name, { e: 'xtwo' });
      await world.waitReady(namespace, name, 'Synced');
      await eventually('the watch has seen the last', () => expect(watch.states.at(-1)?.data).toEqual({ e: 'xtwo' }));
    } finally {
      await watch.stop();
    }

    const allowed = [
      { a: 'one', b: 'one', c: 'one' },
      { a: 'two', b: 'two', c: 'two' },
      { c: 'two', d: 'two' },
      { e: 'xtwo' },
    ];
    for (const { data } of watch.states) expect(allowed).toContainEqual(data);
    const contentOf = new Set(watch.states.map((state) => `${JSON.stringify(state.data)} ${contents(state)[0]}`));
    expect(contentOf.size).toBe(allowed.length);
  });
});
