import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { openShop, type Shop } from './rollouts-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let kubelet: Kubelet;

beforeAll(async () => {
  world = await startWorld({ flags: ['--max-concurrent-rollouts=2', '--rollout-min-interval=8s'] });
  await world.manager();
  kubelet = playKubelet(world);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

const named = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `api-${index}`);

/** A reference and so many Deployments, each of which has its pod ready. */
async function crowd(count: number, rollout = {}): Promise<{ readonly shop: Shop; readonly value: string }> {
  const shop = await openShop(world);
  const value = world.canary();
  await shop.put('db', value);
  await shop.reference('db', { rollout });
  for (const name of named(count)) await shop.workload('Deployment', name, { replicas: 1 });
  await shop.known('db', ...named(count).map((name) => `Deployment ${name}`));
  await eventually('all pods are ready', async () => {
    expect((await deployments(shop)).map(({ status }) => status.availableReplicas)).toEqual(named(count).map(() => 1));
  });
  return { shop, value };
}

const deploymentSchema = z.object({
  metadata: z.object({ name: z.string(), generation: z.int() }),
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
    }),
  }),
  status: z.object({
    observedGeneration: z.int().default(0),
    replicas: z.int().default(0),
    updatedReplicas: z.int().default(0),
    availableReplicas: z.int().default(0),
  }),
});
type Deployment = z.infer<typeof deploymentSchema>;

async function deployments(shop: Shop): Promise<readonly Deployment[]> {
  return z.array(deploymentSchema).parse(await shop.client.list('Deployment'));
}

function isRolling({ metadata, status }: Deployment): boolean {
  const { observedGeneration, replicas, updatedReplicas, availableReplicas } = status;
  return observedGeneration < metadata.generation || updatedReplicas < 1 || replicas > 1 || availableReplicas < 1;
}

function isMarked({ spec }: Deployment): boolean {
  return Object.keys(spec.template.metadata.annotations).some((name) => name.startsWith('keyferry.io/content.'));
}

async function markedIn(shops: readonly Shop[]): Promise<number> {
  const all = await Promise.all(shops.map(deployments));
  return all.flat().filter(isMarked).length;
}

/** Looks at the Deployments until `stop`: the most that were being rolled out at once. */
function watchRolling(shops: readonly Shop[]): { stop(): Promise<number> } {
  let most = 0;
  const stopped = new AbortController();
  const look = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const all = await Promise.all(shops.map(deployments));
      most = Math.max(most, all.flat().filter(isRolling).length);
    }
  };
  const looking = look();
  return {
    stop: async () => {
      stopped.abort();
      await looking;
      return most;
    },
  };
}

const waiting = 'as many workloads as may be are being rolled out';

/** Until so many Deployments say why they are not rolled out yet. */
async function waits(shop: Shop, count: number): Promise<void> {
  await eventually(`${count} Deployments wait`, async () => {
    const { consumers = [], conditions = [] } = await shop.status();
    expect(consumers.filter(({ state, message }) => state === 'Waiting' && message === waiting)).toHaveLength(count);
    expect(conditions.find(({ type }) => type === 'RolledOut')).toMatchObject({ status: 'False', reason: 'Waiting' });
  });
}

describe('--max-concurrent-rollouts', () => {
  it('never has more workloads under way at once, tells who waits, and gets to everyone', async () => {
    const shops = [(await crowd(3)).shop, (await crowd(3)).shop];
    const slow = world.canary();
    kubelet.spoil(slow, 'unready');
    const watch = watchRolling(shops);

    const versions = await Promise.all(shops.map((shop) => shop.put('db', slow)));
    // A namespace gets half of the places.
    for (const shop of shops) await waits(shop, 2);
    const marked = await markedIn(shops);
    const metric = await world.operator().metric('keyferry_rollouts_waiting');
    kubelet.heal(slow);
    for (const [index, shop] of shops.entries()) await shop.rolledOut('db', versions[index] ?? '');

    expect(await watch.stop()).toBe(2);
    expect(marked).toBe(2);
    expect(metric).toBe(4);
    for (const shop of shops) {
      for (const name of named(3)) expect(await shop.revisions('Deployment', name)).toBe(2);
    }
    expect(await world.operator().metric('keyferry_rollouts_waiting')).toBe(0);
  });

  it('keeps a version that fails from those that wait: they are never restarted', async () => {
    const { shop, value } = await crowd(4, { onFailure: 'Revert', progressDeadline: '5s' });
    const bad = world.canary();
    kubelet.spoil(bad, 'crash');

    await shop.put('db', bad);
    await waits(shop, 3);
    await eventually('it went back', async () => {
      expect((await shop.status()).held).toBeDefined();
      expect(await world.secretData(shop.namespace, 'db')).toEqual({ password: value });
    });
    const content = await shop.content();
    await eventually('all run the good version', async () => {
      const { consumers = [] } = await shop.status();
      expect(consumers.map((consumer) => [consumer.state, consumer.content])).toEqual(
        named(4).map(() => ['Complete', content]),
      );
    });

    const revisions = await Promise.all(named(4).map((name) => shop.revisions('Deployment', name)));
    expect(revisions.toSorted((a, b) => a - b)).toEqual([1, 1, 1, 3]);
    expect(await markedIn([shop])).toBe(1);
  });
});

describe('--rollout-min-interval', () => {
  it('makes several versions cost one further rollout, to the last content', async () => {
    const shop = await openShop(world);
    await shop.put('db');
    await shop.reference();
    await shop.workload('Deployment', 'api');
    await shop.known('db', 'Deployment api');
    await shop.rotate();

    const first = await shop.put('db');
    await shop.rolledOut('db', first, 'Waiting');
    await shop.put('db');
    const last = await shop.put('db');
    await shop.rolledOut('db', last, 'Waiting');
    await eventually('it tells why it waits', async () => {
      expect((await shop.consumer('Deployment api')).message).toBe('it was rolled out less than 8s ago');
    });
    await shop.rolledOut('db', last);

    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
    expect(await shop.revisions('Deployment', 'api')).toBe(3);
  });
});

itLeaksNothing(() => world);
