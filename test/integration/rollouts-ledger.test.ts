import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/v1/names.ts';
import type { RolledKind } from '../../src/api/v1/rollout.ts';
import { eventually } from '../operator/eventually.ts';
import { forceSync, openShop, type Shop } from './rollouts-support.ts';
import { encoded, foreignSecret, holds } from './targets-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ flags: ['--rollout-min-interval=0s'] });
  await world.manager();
});
afterAll(() => world?.stop());

const who = 'Deployment api';

/** A reference whose Secret holds its first content, and a Deployment that uses it. */
async function running(value = world.canary()): Promise<Shop> {
  const shop = await openShop(world);
  await shop.put('db', value);
  await shop.reference();
  await shop.workload('Deployment', 'api');
  await shop.known('db', who);
  return shop;
}

/** The next version is rolled out, by one revision more than `before`. */
async function followsNext(shop: Shop, before: number): Promise<void> {
  await shop.rotate();
  expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  expect(await shop.revisions('Deployment', 'api')).toBe(before + 1);
}

/** Nobody was restarted since the only template that there was. */
async function untouched(shop: Shop, kind: RolledKind = 'Deployment'): Promise<void> {
  expect(await shop.revisions(kind, 'api')).toBe(1);
  expect(await shop.markers(kind, 'api')).toEqual({});
  expect(await shop.consumer(`${kind} api`)).toMatchObject({ state: 'Complete', content: await shop.content() });
}

describe.concurrent('nobody is restarted', () => {
  it('at the first sync, where workloads were there before their Secret', async () => {
    const shop = await openShop(world);
    await shop.put('db');
    const kinds: readonly RolledKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];
    for (const kind of kinds) await shop.workload(kind, 'api');

    await shop.reference();
    await shop.known('db', ...kinds.map((kind) => `${kind} api`));
    await shop.fence();

    for (const kind of kinds) await untouched(shop, kind);
    await expect(followsNext(shop, 1)).resolves.toBeUndefined();
  });

  it('that was created after a rotation', async () => {
    const shop = await running();
    await shop.rotate();

    await shop.workload('StatefulSet', 'api');
    await shop.known('db', 'StatefulSet api');
    await shop.fence();

    await expect(untouched(shop, 'StatefulSet')).resolves.toBeUndefined();
  });

  it('by a new version with equal bytes, which the status names all the same', async () => {
    const value = world.canary();
    const shop = await running(value);
    const { lastChangeTime } = await shop.status();

    const version = await shop.put('db', value);
    await shop.rolledOut('db', version);
    await shop.fence();

    await untouched(shop);
    expect((await shop.status()).lastChangeTime).toBe(lastChangeTime);
    await expect(followsNext(shop, 1)).resolves.toBeUndefined();
  });

  it('by an edit of the reference that leaves the bytes as they are', async () => {
    const shop = await running();
    const data = { password: { secret: shop.secret('db') } };

    const template = { data: { password: '{{Secrets.password}}' } };
    await shop.reference('db', { spec: { data, template } });
    await shop.fence();

    await untouched(shop);
    await expect(followsNext(shop, 1)).resolves.toBeUndefined();
  });

  it('by the repair of a Secret that somebody edited or deleted', async () => {
    const value = world.canary();
    const shop = await running(value);
    const where = { namespace: shop.namespace, name: 'db' };

    await world.api.patch('Secret', where, { data: encoded({ password: 'edited' }) });
    await holds(world, shop.namespace, 'db', { password: value });
    await shop.fence();
    await untouched(shop);
    await world.api.delete('Secret', where);
    await holds(world, shop.namespace, 'db', { password: value });
    await shop.fence();

    await untouched(shop);
    await expect(followsNext(shop, 1)).resolves.toBeUndefined();
  });

  it('by a reference that is deleted, or created again for the same content', async () => {
    const shop = await running();
    await shop.rotate();
    const markers = await shop.markers('Deployment', 'api');

    await world.api.delete('SecretReference', { namespace: shop.namespace, name: 'db' });
    await eventually('its Secret is gone', async () => {
      expect(await shop.client.find('Secret', 'db')).toBeUndefined();
    });
    await shop.reference();
    await shop.known('db', who);
    await shop.fence();

    expect(await shop.markers('Deployment', 'api')).toEqual(markers);
    expect(await shop.revisions('Deployment', 'api')).toBe(2);
  });

  it('while the reference is suspended, and once when it is resumed', async () => {
    const shop = await running();
    const data = { password: { secret: shop.secret('db') } };
    await world.reference(shop.namespace, 'db', { data, rollout: { settle: '1s' }, suspend: true });
    await world.waitReady(shop.namespace, 'db', 'Suspended');

    await shop.put('db');
    const version = await shop.put('db');
    await shop.witness();
    const suspended = await shop.revisions('Deployment', 'api');
    await shop.reference();
    await shop.rolledOut('db', version);

    expect(suspended).toBe(1);
    expect(await shop.revisions('Deployment', 'api')).toBe(2);
    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  });
});

describe.concurrent('one rollout', () => {
  it('is what an edit of the template costs that changes bytes', async () => {
    const shop = await running();

    await shop.reference('db', { spec: { template: { data: { password: 'x-{{Secrets.password}}' } } } });
    await eventually('it is rolled out', async () => {
      expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
    });
    await shop.until(who, 'Complete');

    expect(await shop.revisions('Deployment', 'api')).toBe(2);
    await followsNext(shop, 2);
  });

  it('is what several targets cost that change together, with one marker for each', async () => {
    const shop = await openShop(world);
    const names = ['db', 'mail', 'queue'];
    for (const name of names) {
      await shop.put(name);
      await shop.reference(name, { rollout: { settle: '3s' } });
    }
    await shop.workload('Deployment', 'api', { uses: { db: 'env', mail: 'volume', queue: 'envFrom' } });
    for (const name of names) await shop.known(name, who);

    const versions = await Promise.all(names.map((name) => shop.put(name)));
    for (const [index, name] of names.entries()) await shop.rolledOut(name, versions[index] ?? '');

    const contents = await Promise.all(names.map((name) => shop.content(name)));
    expect(await shop.revisions('Deployment', 'api')).toBe(2);
    expect(await shop.markers('Deployment', 'api')).toEqual({ db: contents[0], mail: contents[1], queue: contents[2] });

    await shop.rotate('mail');

    expect(await shop.revisions('Deployment', 'api')).toBe(3);
    expect(await shop.markers('Deployment', 'api')).toEqual({
      db: contents[0],
      mail: await shop.content('mail'),
      queue: contents[2],
    });
  });

  it('is what an adopted Secret costs that had other bytes', async () => {
    const shop = await openShop(world);
    await foreignSecret(world, shop.namespace, 'db', {
      data: { password: world.canary() },
      annotations: { [annotations.adopt]: 'true' },
    });
    await shop.workload('Deployment', 'api');
    const version = await shop.put('db');

    await shop.reference();
    await shop.rolledOut('db', version);
    await shop.fence();

    expect(await shop.revisions('Deployment', 'api')).toBe(2);
    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  });

  it('is what nobody pays for an adopted Secret that had the same bytes', async () => {
    const shop = await openShop(world);
    const value = world.canary();
    const adopt = { [annotations.adopt]: 'true' };
    await foreignSecret(world, shop.namespace, 'db', { data: { password: value }, annotations: adopt });
    await shop.workload('Deployment', 'api');
    await shop.put('db', value);

    await shop.reference();
    await shop.known('db', who);
    await shop.fence();

    await untouched(shop);
    await expect(followsNext(shop, 1)).resolves.toBeUndefined();
  });
});

describe.concurrent('a Secret that several references merge into', () => {
  async function merged(equal: boolean): Promise<Shop> {
    const shop = await openShop(world);
    const values = { one: world.canary(), two: world.canary() };
    const theirs = equal ? { one: values.one } : {};
    await foreignSecret(world, shop.namespace, 'shared', {
      data: { theirs: 'x', ...theirs },
      annotations: { [annotations.merge]: 'true' },
    });
    await shop.workload('Deployment', 'api', { uses: { shared: 'envFrom' } });
    for (const name of ['one', 'two'] as const) {
      await shop.put(name, values[name]);
      const data = { [name]: { secret: shop.secret(name) } };
      await shop.reference(name, { spec: { data, target: { name: 'shared', ownership: 'Merge' } } });
      await shop.known(name, who);
    }
    return shop;
  }

  it('restarts its consumers once for the keys that a reference adds, and once for each that changes', async () => {
    const shop = await merged(false);
    for (const name of ['one', 'two']) await shop.until(who, 'Complete', name);
    const before = await shop.markers('Deployment', 'api');
    const revisions = await shop.revisions('Deployment', 'api');
    expect(Object.keys(before)).toHaveLength(2);

    await shop.rotate('two');
    await forceSync(world, shop.namespace, 'one');
    await shop.fence('one');

    const after = await shop.markers('Deployment', 'api');
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed).toHaveLength(1);
    expect(Object.keys(after).toSorted()).toEqual(Object.keys(before).toSorted());
    expect(await shop.revisions('Deployment', 'api')).toBe(revisions + 1);
    expect((await shop.consumer(who, 'one')).state).toBe('Complete');
  });
});

itLeaksNothing(() => world);
