import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { addNode, inTemplate, openShop, type Shop, type WorkloadOptions } from './rollouts-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let kubelet: Kubelet;

beforeAll(async () => {
  world = await startWorld({ flags: ['--rollout-min-interval=0s'] });
  await world.manager();
  kubelet = playKubelet(world);
  await addNode(world);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** A reference, and a workload that uses its Secret and whose pods are ready. */
async function running(kind: Kind, options: WorkloadOptions = {}, rollout = {}): Promise<Shop> {
  const shop = await openShop(world);
  await shop.put('db');
  await shop.reference('db', { rollout });
  await shop.workload(kind, 'api', { replicas: 2, ...options });
  await shop.known('db', `${kind} api`);
  await podsReady(shop, kind === 'DaemonSet' ? 1 : 2);
  return shop;
}

const podSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }),
  status: z.looseObject({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
});

async function pods(shop: Shop): Promise<readonly z.infer<typeof podSchema>[]> {
  return z.array(podSchema).parse(await shop.client.list('Pod', 'app=api'));
}

async function podsReady(shop: Shop, count: number): Promise<void> {
  await eventually(`${count} pods are ready`, async () => {
    const ready = (await pods(shop)).filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    expect(ready).toHaveLength(count);
  });
}

/** What the pods of a workload were rolled out for. */
async function contentsOfPods(shop: Shop): Promise<readonly (string | undefined)[]> {
  return (await pods(shop)).map(({ metadata }) => metadata.annotations['keyferry.io/content.db']);
}

describe.concurrent('a rollout', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
    'of a %s replaces its pods, and is complete once they are ready',
    async (kind) => {
      const shop = await running(kind);

      await shop.rotate();

      const content = await shop.content();
      expect(new Set(await contentsOfPods(shop))).toEqual(new Set([content]));
      expect(await shop.revisions(kind, 'api')).toBe(2);
      const { consumers = [], summary } = await shop.status();
      expect(consumers).toMatchObject([
        { kind, name: 'api', uses: ['envFrom'], state: 'Complete', content, versions: summary },
      ]);
    },
  );

  it('is told in the status, the table, events and metrics', async () => {
    const shop = await running('Deployment');
    const before = await metrics();

    const version = await shop.rotate();

    const short = version.slice(0, 8);
    const told = `${shop.secret('db')} version ${short}`;
    const { conditions = [] } = await shop.status();
    expect(conditions.find(({ type }) => type === 'RolledOut')).toMatchObject({
      status: 'True',
      message: `Deployment api runs ${shop.secret('db')}@${short}`,
    });
    expect(await shop.kubectl('get', 'sref', 'db')).toMatch(/ROLLOUT[^]*Complete/);
    await eventually('the events are there', async () => {
      expect(await shop.kubectl('describe', 'deployment', 'api')).toContain(
        `rolled out for ${told} (SecretReference db)`,
      );
      expect(await shop.kubectl('describe', 'sref', 'db')).toContain(`rolled out Deployment api for ${told}`);
    });
    const after = await metrics();
    expect(after.complete - before.complete).toBeGreaterThanOrEqual(1);
    expect(after.timed - before.timed).toBeGreaterThanOrEqual(1);
    expect(after.text).toContain('keyferry_rollouts_waiting ');
  });

  it('that is not complete by its deadline is Failed, says so in an event, and recovers', async () => {
    const shop = await running('Deployment', {}, { progressDeadline: '2s' });
    const bad = world.canary();
    kubelet.spoil(bad, 'crash');

    const version = await shop.put('db', bad);
    await shop.rolledOut('db', version, 'Failed');

    expect(await shop.consumer('Deployment api')).toMatchObject({
      state: 'Failed',
      message: expect.stringContaining('not complete after 2s'),
    });
    expect((await shop.status()).held).toBeUndefined();
    expect((await world.ready(shop.namespace, 'db')).status).toBe('True');
    await eventually('the event is there', async () => {
      expect(await shop.kubectl('describe', 'sref', 'db')).toMatch(/Warning\s+Failed\s/);
    });
    await shop.rotate();
    expect(await shop.revisions('Deployment', 'api')).toBe(3);
  });
});

async function metrics(): Promise<{ readonly complete: number; readonly timed: number; readonly text: string }> {
  const operator = world.operator();
  return {
    complete: await operator.metric('keyferry_rollouts_total', { kind: 'Deployment', result: 'complete' }),
    timed: await operator.metric('keyferry_rollout_seconds_count', { kind: 'Deployment' }),
    text: await operator.metrics(),
  };
}

describe.concurrent('a workload that can not follow at once is reported as what it is:', () => {
  it('a StatefulSet whose pod is not ready on an older version is Stuck, and says which pod to delete', async () => {
    const shop = await running('StatefulSet', {}, { progressDeadline: '1m' });
    const bad = world.canary();
    kubelet.spoil(bad, 'unready');
    const version = await shop.put('db', bad);
    await shop.rolledOut('db', version, 'Progressing');
    await eventually('a pod runs on the bad version', async () => {
      expect(await contentsOfPods(shop)).toContain(await shop.content());
    });

    const good = await shop.put('db');
    const stuck = await shop.until('StatefulSet api', 'Stuck');

    expect(stuck.message).toContain(`kubectl delete pod -n ${shop.namespace} api-1`);
    await shop.client.delete('Pod', 'api-1');
    await shop.rolledOut('db', good);
    expect(new Set(await contentsOfPods(shop))).toEqual(new Set([await shop.content()]));
  });

  it('a paused Deployment is marked, and follows when it is resumed, by one rollout', async () => {
    const shop = await running('Deployment');
    await shop.edit('Deployment', 'api', { spec: { paused: true } });

    const before = (await shop.consumer('Deployment api')).versions;
    await shop.rotate('db', 'Paused');
    const version = await shop.rotate('db', 'Paused');
    const marked = await shop.marker('Deployment', 'api');
    const paused = await shop.consumer('Deployment api');
    const whilePaused = await shop.revisions('Deployment', 'api');
    await shop.edit('Deployment', 'api', { spec: { paused: false } });
    await shop.rolledOut('db', version);

    expect(marked).toBe(await shop.content());
    expect(paused).toMatchObject({ state: 'Paused', replaces: expect.arrayContaining([before]) });
    expect(await shop.consumer('Deployment api')).not.toHaveProperty('replaces');
    expect(whilePaused).toBe(1);
    expect(await shop.revisions('Deployment', 'api')).toBe(2);
    expect(new Set(await contentsOfPods(shop))).toEqual(new Set([marked]));
  });

  it('a StatefulSet with OnDelete waits for people to delete its pods', async () => {
    const shop = await running('StatefulSet', { spec: { updateStrategy: { type: 'OnDelete' } } });

    const version = await shop.put('db');
    await shop.rolledOut('db', version, 'Paused');
    const waiting = await shop.consumer('StatefulSet api');
    for (const name of ['api-0', 'api-1']) await shop.client.delete('Pod', name);
    await shop.rolledOut('db', version);

    expect(waiting.state).toBe('WaitingForDelete');
    expect(new Set(await contentsOfPods(shop))).toEqual(new Set([await shop.content()]));
  });

  it('a DaemonSet with OnDelete waits as well', async () => {
    const shop = await running('DaemonSet', { spec: { updateStrategy: { type: 'OnDelete' } } });

    const version = await shop.put('db');
    await shop.rolledOut('db', version, 'Paused');
    const waiting = await shop.consumer('DaemonSet api');
    for (const { metadata } of await pods(shop)) await shop.client.delete('Pod', metadata.name);
    await shop.rolledOut('db', version);

    expect(waiting.state).toBe('WaitingForDelete');
  });

  it('a StatefulSet with a partition is Partial, until the partition is gone', async () => {
    const updateStrategy = (partition: number): object => ({ type: 'RollingUpdate', rollingUpdate: { partition } });
    const shop = await running('StatefulSet', { spec: { updateStrategy: updateStrategy(1) } });

    const version = await shop.put('db');
    await shop.rolledOut('db', version, 'Paused');
    const partial = await shop.until('StatefulSet api', 'Partial');
    await shop.edit('StatefulSet', 'api', { spec: { updateStrategy: updateStrategy(0) } });
    await shop.rolledOut('db', version);

    expect(partial.message).toBe('1 of 2 pods');
    expect(new Set(await contentsOfPods(shop))).toEqual(new Set([await shop.content()]));
  });
});

describe('a template that its owner changes while a rollout is under way', () => {
  it('is rolled out with the marker in it, and completes', async () => {
    const shop = await running('Deployment');
    const slow = world.canary();
    kubelet.spoil(slow, 'unready');
    const version = await shop.put('db', slow);
    await shop.rolledOut('db', version, 'Progressing');

    await shop.edit('Deployment', 'api', inTemplate('Deployment', { metadata: { annotations: { note: 'x' } } }));
    kubelet.heal(slow);

    await shop.rolledOut('db', version);
    expect(new Set(await contentsOfPods(shop))).toEqual(new Set([await shop.content()]));
  });
});

itLeaksNothing(() => world);
