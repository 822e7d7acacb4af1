import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/v1/names.ts';
import { awsError, forwardTo } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { type GuardedShop, openGuardedShop } from './rollouts-guarded-support.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { inTemplate } from './rollouts-support.ts';
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

/** The failed version stays where it is, and the message says more than that it failed. */
async function stays(
  shop: GuardedShop,
  bad: { readonly version: string; readonly value: string },
  says: string,
): Promise<void> {
  await eventually(`${shop.namespace} tells "${says}"`, async () => {
    const { conditions = [] } = await shop.status();
    const condition = conditions.find(({ type }) => type === 'RolledOut');
    expect(condition?.reason).toBe('Failed');
    expect(condition?.message).toContain(says);
  });
  await shop.witness();
  expect((await shop.status()).held).toBeUndefined();
  expect(await world.secretData(shop.namespace, 'db')).toMatchObject({ password: bad.value });
}

describe.concurrent('a guarded rollout that fails is reported, and not reverted,', () => {
  it('while its pods wait for a node', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const bad = await shop.putBad('pending');

    await expect(stays(shop, bad, 'Pending')).resolves.toBeUndefined();
  });

  it('while its image can not be pulled', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const bad = await shop.putBad('imagePull');

    await expect(stays(shop, bad, 'ImagePull')).resolves.toBeUndefined();
  });

  it('where its pods failed before', async () => {
    const shop = await openGuardedShop(world, kubelet);
    kubelet.spoil(shop.value, 'crash');
    await shop.kubectl('rollout', 'restart', 'deployment/api');
    await eventually('a pod crashes', async () => {
      expect(JSON.stringify(await shop.client.list('Pod'))).toContain('CrashLoopBackOff');
    });
    const bad = await shop.putBad();

    await expect(stays(shop, bad, 'was not complete before the versions changed')).resolves.toBeUndefined();
  });

  it('where a person changed the template during the rollout', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const bad = await shop.putBad();
    await eventually('it is being rolled out', async () => {
      expect((await shop.consumer('Deployment api')).state).toBe('Progressing');
    });
    await shop.edit('Deployment', 'api', inTemplate('Deployment', { metadata: { annotations: { note: 'x' } } }));

    await expect(stays(shop, bad, 'more than this Secret changed in its pod template')).resolves.toBeUndefined();
  });

  it('where another target changed in the same rollout', async () => {
    const shop = await openGuardedShop(world, kubelet, 'Deployment', {
      uses: { db: 'env', mail: 'env' },
      rollout: { settle: '3s' },
    });
    await shop.put('mail');
    await shop.reference('mail', { rollout: { settle: '3s' } });
    await shop.known('mail', 'Deployment api');
    const mail = await shop.put('mail');
    const bad = await shop.putBad();

    await stays(shop, bad, 'more than this Secret changed in its pod template');

    expect((await shop.status('mail')).versions).toMatchObject([{ version: mail }]);
  });

  it('where the version before can not be read any more', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const old = (await shop.status()).versions?.[0]?.version ?? '';
    const forward = forwardTo(world.motoUrl);
    world.backend.handle((call) =>
      call.input['VersionId'] === old ? awsError('ResourceNotFoundException') : forward(call),
    );
    const bad = await shop.putBad();

    await stays(shop, bad, `the versions before can't be read any more`);
    expect((await shop.status()).guard?.refusal).toContain(`the versions before can't be read any more`);
  });

  it('where it was changed to use other secrets along with that', async () => {
    const shop = await openGuardedShop(world, kubelet);
    await shop.put('other');
    const value = world.canary();
    kubelet.spoil(value, 'crash');
    await shop.put('other', value);
    const data = { password: { secret: shop.secret('other') } };
    const rollout = { settle: '1s', onFailure: 'Revert', progressDeadline: '3s' };
    await world.reference(shop.namespace, 'db', { data, rollout });

    await expect(stays(shop, { version: '', value }, 'Not reverted')).resolves.toBeUndefined();
  });
});

describe.concurrent('a guarded rollout', () => {
  it('of a paused Deployment waits for it, for as long as it takes', async () => {
    const shop = await openGuardedShop(world, kubelet);
    await shop.edit('Deployment', 'api', { spec: { paused: true } });
    const bad = await shop.putBad();
    await shop.rolledOut('db', bad.version, 'Paused');
    await shop.witness();
    await shop.witness();

    expect((await shop.status()).held).toBeUndefined();
    expect(await world.secretData(shop.namespace, 'db')).toEqual({ password: bad.value });
  });

  it('of a StatefulSet with OnDelete waits for people', async () => {
    const shop = await openGuardedShop(world, kubelet, 'StatefulSet', {
      spec: { updateStrategy: { type: 'OnDelete' } },
    });
    const bad = await shop.putBad();
    await shop.rolledOut('db', bad.version, 'Paused');
    await shop.witness();
    await shop.witness();

    expect((await shop.consumer('StatefulSet api')).state).toBe('WaitingForDelete');
    expect((await shop.status()).held).toBeUndefined();
  });

  it('that does not ask for it never goes back', async () => {
    const shop = await openGuardedShop(world, kubelet, 'Deployment', { rollout: { onFailure: 'None' } });
    const bad = await shop.putBad();

    await stays(shop, bad, 'Deployment api: not complete after 3s');

    const reference = await shop.client.get('SecretReference', 'db');
    expect(reference.metadata.annotations[annotations.retry]).toBeUndefined();
  });
});

itLeaksNothing(() => world);
