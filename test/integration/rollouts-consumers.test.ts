import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolledKind } from '../../src/api/v1/rollout.ts';
import { eventually } from '../operator/eventually.ts';
import { applyRolloutCrd } from './argo.ts';
import { inTemplate, openShop, podSpecOf, type Shop, type Usage } from './rollouts-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ operator: false, flags: ['--rollout-min-interval=0s'] });
  await applyRolloutCrd(world.cluster);
  await world.startOperator();
  await world.manager();
});
afterAll(() => world?.stop());

/** The consumers of a reference with their state, as `Deployment api: Complete`. */
async function states(shop: Shop, reference = 'db'): Promise<readonly string[]> {
  const { consumers = [] } = await shop.status(reference);
  return consumers.map(({ kind, name, state }) => `${kind} ${name}: ${state}`);
}

async function shopWithDb(rollout = {}): Promise<Shop> {
  const shop = await openShop(world);
  await shop.put('db');
  await shop.reference('db', { rollout });
  return shop;
}

describe.concurrent('consumers', () => {
  it('are found by every way in which a pod template uses a Secret, and rolled out once each', async () => {
    const shop = await shopWithDb();
    const ways: readonly (readonly [Usage, string])[] = [
      ['env', 'env'],
      ['envFrom', 'envFrom'],
      ['volume', 'volume'],
      ['projected', 'volume'],
      ['initEnv', 'env'],
      ['initEnvFrom', 'envFrom'],
    ];
    const names = ways.map(([way]) => way.toLowerCase());
    for (const [way] of ways) await shop.workload('Deployment', way.toLowerCase(), { uses: { db: way } });
    await shop.workload('Deployment', 'other', { uses: { 'db-other': 'env' } });
    await shop.known('db', ...names.map((name) => `Deployment ${name}`));

    const version = await shop.rotate();

    const { consumers = [], summary } = await shop.status();
    expect(summary).toBe(`${shop.secret('db')}@${version.slice(0, 8)}`);
    const content = await shop.content();
    for (const [way, use] of ways) {
      const name = way.toLowerCase();
      const consumer = consumers.find((item) => item.name === name);
      expect(consumer).toMatchObject({
        kind: 'Deployment',
        uses: [use],
        state: 'Complete',
        content,
        versions: summary,
      });
      expect(await shop.markers('Deployment', name)).toEqual({ db: content });
      expect(await shop.revisions('Deployment', name)).toBe(2);
    }
    expect(consumers).toHaveLength(ways.length);
    expect(await shop.markers('Deployment', 'other')).toEqual({});
  });

  it('are of every kind, each with one new revision for one new version', async () => {
    const shop = await shopWithDb();
    const kinds: readonly RolledKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];
    for (const kind of kinds) await shop.workload(kind, 'api', { uses: { db: ['env', 'volume'] } });
    await shop.known('db', ...kinds.map((kind) => `${kind} api`));

    await shop.rotate();

    for (const kind of kinds) {
      expect((await shop.consumer(`${kind} api`)).uses).toEqual(['env', 'volume']);
      expect(await shop.markers(kind, 'api')).toEqual({ db: await shop.content() });
      expect(await shop.revisions(kind, 'api')).toBe(2);
    }
  });

  it('that only pull images with a Secret are reported, and restart for nothing', async () => {
    const shop = await shopWithDb();
    await shop.workload('Deployment', 'puller', { uses: { db: 'imagePull' } });
    await shop.workload('Deployment', 'both', { uses: { db: ['imagePull', 'env'] } });
    await shop.known('db', 'Deployment puller', 'Deployment both');

    await shop.rotate();

    expect(await shop.consumer('Deployment puller')).toMatchObject({ uses: ['imagePull'], state: 'LeftAlone' });
    expect(await shop.revisions('Deployment', 'puller')).toBe(1);
    expect(await shop.markers('Deployment', 'both')).toEqual({ db: await shop.content() });
  });

  it('with the annotation keyferry.io/rollout: "false" are left alone until it is gone, and then catch up', async () => {
    const shop = await shopWithDb();
    await shop.workload('Deployment', 'out', { annotations: { 'keyferry.io/rollout': 'false' } });
    await shop.until('Deployment out', 'LeftAlone');

    const version = await shop.rotate('db', 'NothingToRollOut');
    await shop.witness();
    const before = await shop.revisions('Deployment', 'out');
    await shop.edit('Deployment', 'out', { metadata: { annotations: { 'keyferry.io/rollout': null } } });
    await shop.until('Deployment out', 'Complete');
    await shop.rolledOut('db', version);

    expect(before).toBe(1);
    expect(await shop.revisions('Deployment', 'out')).toBe(2);
    expect(await shop.markers('Deployment', 'out')).toEqual({ db: await shop.content() });
  });

  it('that are listed are rolled out, and no others', async () => {
    const workloads = [{ name: 'listed' }, { kind: 'StatefulSet', name: 'reloads' }];
    const shop = await shopWithDb({ policy: 'Listed', workloads });
    await shop.workload('Deployment', 'listed');
    await shop.workload('Deployment', 'user');
    // It reads the Secret by itself, through the API.
    await shop.workload('StatefulSet', 'reloads', { uses: {} });
    await shop.known('db', 'Deployment listed', 'Deployment user', 'StatefulSet reloads');

    await shop.rotate();

    const content = await shop.content();
    expect(await states(shop)).toEqual([
      'Deployment listed: Complete',
      'Deployment user: LeftAlone',
      'StatefulSet reloads: Complete',
    ]);
    expect(await shop.markers('Deployment', 'listed')).toEqual({ db: content });
    expect(await shop.markers('StatefulSet', 'reloads')).toEqual({ db: content });
    expect(await shop.markers('Deployment', 'user')).toEqual({});
  });

  it('that are listed and do not exist are named, and rolled out when they come', async () => {
    const shop = await shopWithDb({ policy: 'Listed', workloads: [{ name: 'later' }] });

    await shop.rotate('db', 'NothingToRollOut');
    const { conditions = [] } = await shop.status();
    await shop.workload('Deployment', 'later');
    await shop.known('db', 'Deployment later');
    await shop.rotate();

    expect(conditions.find(({ type }) => type === 'RolledOut')?.message).toContain('Deployment later');
    expect(await shop.markers('Deployment', 'later')).toEqual({ db: await shop.content() });
  });

  it('are only reported where the policy is Never', async () => {
    const shop = await shopWithDb({ policy: 'Never' });
    await shop.workload('Deployment', 'api');
    await shop.known('db', 'Deployment api');

    await shop.rotate('db', 'NothingToRollOut');
    await shop.fence();

    expect(await shop.consumer('Deployment api')).toMatchObject({
      state: 'LeftAlone',
      message: 'rollout.policy is Never',
    });
    expect(await shop.revisions('Deployment', 'api')).toBe(1);
  });
});

describe.concurrent('what has no pods of its own to replace', () => {
  it('a CronJob is marked where it asks for that, and no Job is ever created', async () => {
    const shop = await shopWithDb();
    await shop.workload('CronJob', 'asks', { annotations: { 'keyferry.io/rollout': 'true' } });
    await shop.workload('CronJob', 'silent');
    await shop.known('db', 'CronJob asks', 'CronJob silent');

    await shop.rotate();
    await shop.fence();

    expect(await states(shop)).toEqual(['CronJob asks: Complete', 'CronJob silent: LeftAlone']);
    expect(await shop.markers('CronJob', 'asks')).toEqual({ db: await shop.content() });
    expect(await shop.markers('CronJob', 'silent')).toEqual({});
    expect(await shop.client.list('Job')).toEqual([]);
    expect(await shop.client.list('Pod')).toEqual([]);
  });

  it('a Pod and a Job are reported, and left as they are', async () => {
    const shop = await shopWithDb();
    const spec = { ...podSpecOf({ db: 'envFrom' }), restartPolicy: 'Never' };
    await shop.client.create('Pod', { metadata: { name: 'debug' }, spec });
    await shop.client.create('Job', { metadata: { name: 'migrate' }, spec: { template: { spec } } });
    await shop.known('db', 'Pod debug', 'Job migrate');
    const shown = async (): Promise<readonly unknown[]> => {
      const objects = [await shop.get('Pod', 'debug'), await shop.get('Job', 'migrate')];
      return objects.map(({ metadata, ...rest }) => [metadata.uid, metadata.annotations, rest['spec']]);
    };
    const before = await shown();

    await shop.rotate('db', 'NothingToRollOut');
    await shop.fence();

    expect(await states(shop)).toEqual(['Job migrate: LeftAlone', 'Pod debug: LeftAlone']);
    expect(await shown()).toEqual(before);
  });
});

describe.concurrent('an Argo Rollout', () => {
  const healthy = async (shop: Shop, name: string): Promise<void> => {
    const { metadata } = await shop.get('Rollout', name);
    const observedGeneration = String(metadata.generation ?? 1);
    await shop.client.patchStatus('Rollout', name, { observedGeneration, phase: 'Healthy', replicas: 0 });
  };

  it('is rolled out like any other, and is complete when Argo says so', async () => {
    const shop = await shopWithDb();
    await shop.workload('Rollout', 'canary', { replicas: 1 });
    await healthy(shop, 'canary');
    await shop.until('Rollout canary', 'Complete');

    const version = await shop.rotate('db', 'Progressing');
    const marked = await shop.markers('Rollout', 'canary');
    await healthy(shop, 'canary');

    await shop.rolledOut('db', version);
    expect(marked).toEqual({ db: await shop.content() });
  });

  it('that takes its template from a Deployment has that marked', async () => {
    const shop = await shopWithDb();
    await shop.workload('Deployment', 'api');
    const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' };
    await shop.client.create('Rollout', { metadata: { name: 'api' }, spec: { replicas: 0, workloadRef } });
    await shop.known('db', 'Deployment api');
    const { metadata } = await shop.get('Rollout', 'api');

    await shop.rotate();

    expect(await shop.markers('Deployment', 'api')).toEqual({ db: await shop.content() });
    expect((await shop.get('Rollout', 'api')).metadata.generation).toBe(metadata.generation);
  });
});

describe('a workload that begins or ceases to use a Secret', () => {
  it('joins and leaves the consumers, and is never restarted for it', async () => {
    const shop = await shopWithDb();
    await shop.workload('Deployment', 'late', { uses: {} });
    await shop.edit('Deployment', 'late', inTemplate('Deployment', { spec: podSpecOf({ db: 'envFrom' }) }));
    await shop.until('Deployment late', 'Complete');
    const joined = await shop.revisions('Deployment', 'late');

    await shop.edit('Deployment', 'late', inTemplate('Deployment', { spec: podSpecOf({}) }));
    await eventually('it is no consumer any more', async () => expect(await states(shop)).toEqual([]));
    await shop.rotate('db', 'NothingToRollOut');

    expect(joined).toBe(2);
    expect(await shop.markers('Deployment', 'late')).toEqual({});
  });
});

itLeaksNothing(() => world);
