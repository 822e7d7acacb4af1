import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/v1/names.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { forceSync, inTemplate, openShop, type Shop, templateOf } from './rollouts-support.ts';
import type { KubeBody } from './world-api.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let kubelet: Kubelet;

beforeAll(async () => {
  world = await startWorld({ flags: ['--rollout-min-interval=0s'] });
  await world.manager();
  kubelet = playKubelet(world);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

const marker = `${annotations.marker}db`;
const who = 'Deployment api';

/** A reference, and a Deployment of somebody that was rolled out for its second version. */
async function rolledOnce(create: (shop: Shop) => Promise<unknown>): Promise<Shop> {
  const shop = await openShop(world);
  await shop.put('db');
  await shop.reference();
  await create(shop);
  await shop.known('db', who);
  await shop.rotate();
  expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  return shop;
}

const asJson = (shop: Shop, options = {}): string =>
  JSON.stringify({ apiVersion: 'apps/v1', ...shop.manifest('Deployment', 'api', options) });

function kubectl(shop: Shop, args: readonly string[], input = ''): Promise<string> {
  return runKubectl(world.cluster, ['-n', shop.namespace, ...args], input);
}

/** Everything that tells a restart: the template, and how many there were. */
async function looks(shop: Shop): Promise<unknown> {
  return [templateOf('Deployment', await shop.get('Deployment', 'api')), await shop.revisions('Deployment', 'api')];
}

/** What others did is left as it is; the next version is rolled out, by one more revision, and the marker is ours again. */
async function notAnswered(shop: Shop): Promise<void> {
  const before = await looks(shop);
  const revisions = await shop.revisions('Deployment', 'api');
  await shop.fence();
  expect(await looks(shop)).toEqual(before);
  expect((await shop.consumer(who)).content).toBe(await shop.content());

  await shop.rotate();

  expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  expect(await shop.revisions('Deployment', 'api')).toBe(revisions + 1);
}

describe.concurrent('what others write does not lose a rollout, and is not answered:', () => {
  it('kubectl apply of the manifest keeps the marker', async () => {
    const shop = await rolledOnce((shop) => kubectl(shop, ['apply', '-f', '-'], asJson(shop)));
    const before = await looks(shop);

    await kubectl(shop, ['apply', '-f', '-'], asJson(shop, { spec: { minReadySeconds: 1 } }));

    expect(await looks(shop)).toEqual(before);
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('server-side apply of the manifest by force keeps the marker', async () => {
    const args = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    const shop = await rolledOnce((shop) => kubectl(shop, args, asJson(shop)));
    const before = await looks(shop);

    await kubectl(shop, args, asJson(shop, { spec: { minReadySeconds: 1 } }));

    expect(await looks(shop)).toEqual(before);
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('a Helm upgrade, which patches what differs between two manifests, keeps the marker', async () => {
    const shop = await rolledOnce((shop) =>
      shop.workload('Deployment', 'api', { templateAnnotations: { checksum: 'a' } }),
    );

    const template = { metadata: { annotations: { checksum: 'b' } } };
    const patch = JSON.stringify({ spec: { template } });
    await shop.kubectl('patch', 'deploy', 'api', '--type=strategic', '--field-manager=helm', '-p', patch);

    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('kubectl apply that takes back the last annotation of the template takes the marker along', async () => {
    const first = { templateAnnotations: { checksum: 'a' } };
    const shop = await rolledOnce((shop) => kubectl(shop, ['apply', '-f', '-'], asJson(shop, first)));

    await kubectl(shop, ['apply', '-f', '-'], asJson(shop));

    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('kubectl replace removes the marker', async () => {
    const shop = await rolledOnce((shop) => kubectl(shop, ['create', '-f', '-'], asJson(shop)));

    await kubectl(shop, ['replace', '-f', '-'], asJson(shop));

    expect(await shop.markers('Deployment', 'api')).toEqual({});
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('a second tool that writes the old marker out of git, again and again', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api'));
    const old = (await shop.marker('Deployment', 'api')) ?? '';
    await shop.rotate();
    const manifest = shop.manifest('Deployment', 'api', { templateAnnotations: { [marker]: old } });
    const revert = (): Promise<unknown> => shop.client.apply('Deployment', 'api', manifest);
    await revert();
    const reverted = await looks(shop);
    for (let times = 0; times < 3; times += 1) {
      await forceSync(world, shop.namespace, 'db');
      await revert();
    }
    await shop.fence();
    expect(await looks(shop)).toEqual(reverted);
    expect((await shop.consumer(who)).content).toBe(await shop.content());
    const revisions = await shop.revisions('Deployment', 'api');

    await shop.rotate();

    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
    expect(await shop.revisions('Deployment', 'api')).toBe(revisions + 1);
    await revert();
    await shop.fence();
    expect(await shop.marker('Deployment', 'api')).toBe(old);
  });

  it('a second tool that puts the old marker back the moment it is changed', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api'));
    const old = (await shop.marker('Deployment', 'api')) ?? '';
    const manifest = shop.manifest('Deployment', 'api', { templateAnnotations: { [marker]: old } });
    await shop.client.apply('Deployment', 'api', manifest);
    const stopped = new AbortController();
    let reverts = 0;
    const heal = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        if ((await shop.marker('Deployment', 'api')) === old) continue;
        await shop.client.apply('Deployment', 'api', manifest);
        reverts += 1;
      }
    };
    const healing = heal();

    await shop.rotate();
    await shop.fence();
    await shop.witness();
    stopped.abort();
    await healing;

    expect(reverts).toBe(1);
    expect((await shop.consumer(who)).content).toBe(await shop.content());
  });

  it('a marker that was exported into another workload is no evidence', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api'));
    const old = (await shop.marker('Deployment', 'api')) ?? '';
    await shop.rotate();
    await shop.workload('Deployment', 'copy', { templateAnnotations: { [marker]: old } });
    await shop.known('db', 'Deployment copy');
    await shop.fence();

    expect(await shop.consumer('Deployment copy')).toMatchObject({ state: 'Complete', content: await shop.content() });
    expect(await shop.revisions('Deployment', 'copy')).toBe(1);
  });
});

describe.concurrent('what people do with their pods is theirs:', () => {
  const restarted = (): KubeBody =>
    inTemplate('Deployment', { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } });

  it('kubectl rollout restart', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api', { replicas: 1 }));

    await shop.edit('Deployment', 'api', restarted());
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });

  it('kubectl rollout undo, whose old marker is taken back at the next version, once', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api', { replicas: 1 }));
    await shop.rotate();

    await shop.kubectl('rollout', 'undo', 'deployment/api');
    await eventually('the pods are back', async () => {
      expect(await shop.kubectl('rollout', 'status', 'deployment/api', '--watch=false')).toContain('successfully');
    });

    expect(await shop.marker('Deployment', 'api')).not.toBe(await shop.content());
    await notAnswered(shop);
    await shop.fence();
    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  });

  it('a new image, scaling, and an edit during a rollout', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api', { replicas: 1 }));
    await shop.kubectl('scale', 'deployment/api', '--replicas=2');
    await shop.kubectl('set', 'image', 'deployment/api', 'app=registry.example/app:2');

    await notAnswered(shop);

    const { spec } = templateOf('Deployment', await shop.get('Deployment', 'api'));
    expect(JSON.stringify(spec)).toContain('registry.example/app:2');
    expect(await shop.get('Deployment', 'api')).toMatchObject({ spec: { replicas: 2 } });
  });

  it('deletion and creation by CI: the new workload needs no restart', async () => {
    const shop = await rolledOnce((shop) => shop.workload('Deployment', 'api'));
    const { uid } = await shop.consumer(who);

    await shop.client.delete('Deployment', 'api');
    await shop.workload('Deployment', 'api');
    await eventually('the new one is known', async () => expect((await shop.consumer(who)).uid).not.toBe(uid));
    await shop.fence();

    expect(await shop.markers('Deployment', 'api')).toEqual({});
    expect(await shop.revisions('Deployment', 'api')).toBe(1);
    await expect(notAnswered(shop)).resolves.toBeUndefined();
  });
});

itLeaksNothing(() => world);
