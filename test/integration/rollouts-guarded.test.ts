import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/v1/names.ts';
import { eventually } from '../operator/eventually.ts';
import { type GuardedKind, type GuardedShop, openGuardedShop } from './rollouts-guarded-support.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { addNode } from './rollouts-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let kubelet: Kubelet;

beforeAll(async () => {
  world = await startWorld({ flags: ['--rollout-min-interval=0s', '--delete-stuck-pods=true'] });
  await world.kubectl('apply', '-f', join(import.meta.dirname, '..', '..', 'rbac', 'rollouts-unstick.yaml'));
  await world.manager();
  await addNode(world);
  kubelet = playKubelet(world);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

const guarded = (kind: GuardedKind = 'Deployment'): Promise<GuardedShop> => openGuardedShop(world, kubelet, kind);

describe.concurrent('a guarded rotation', () => {
  it.each([
    ['Deployment', 'crash'],
    ['Deployment', 'unready'],
    ['DaemonSet', 'crash'],
  ] as const)('of a %s whose pods %s on the new version goes back, once', async (kind, trouble) => {
    const shop = await guarded(kind);
    const good = await shop.content();

    const bad = await shop.putBad(trouble);
    const message = await shop.reverted(bad.version);
    await shop.healthy(kind);

    expect(message).toContain(`${shop.secret('db')}@${bad.version.slice(0, 8)} failed`);
    expect(message).toContain(`kubectl annotate sref -n ${shop.namespace} db keyferry.io/retry=`);
    expect(await world.ready(shop.namespace, 'db')).toMatchObject({ status: 'True', reason: 'Synced' });
    expect(await shop.content()).toBe(good);
    expect(await shop.marker(kind, 'api')).toBe(good);
    await shop.fence();
    // The first template had no marker, the next ones had that of the bad version and of the good one.
    expect(await shop.revisions(kind, 'api')).toBe(3);
    expect((await shop.status()).held?.bad.versions).toMatchObject([{ version: bad.version }]);
    expect(await world.operator().metric('keyferry_rollouts_total', { kind, result: 'reverted' })).toBeGreaterThan(0);
  });

  it('of a StatefulSet deletes the pod that is stuck on the new version, where the operator may', async () => {
    const shop = await guarded('StatefulSet');
    const good = await shop.content();
    const bad = await shop.putBad('unready');
    await shop.reverted(bad.version);
    const { metadata } = await shop.get('Pod', 'api-0');
    await shop.healthy('StatefulSet');

    const writes = await world.operatorWrites();
    const deleted = writes.filter(
      ({ verb, objectRef: { namespace } }) => verb === 'delete' && namespace === shop.namespace,
    );
    expect(deleted.map(({ objectRef }) => `${objectRef.resource} ${objectRef.name}`)).toEqual(['pods api-0']);
    expect((await shop.get('Pod', 'api-0')).metadata).toMatchObject({
      annotations: { [`${annotations.marker}db`]: good },
    });
    expect((await shop.get('Pod', 'api-0')).metadata.uid).not.toBe(metadata.uid);
  });

  it('tries a yet newer version, and is through when that one works', async () => {
    const shop = await guarded();
    const bad = await shop.putBad();
    await shop.reverted(bad.version);
    await shop.healthy();

    const version = await shop.rotate();

    const { held, guard } = await shop.status();
    expect(held).toBeUndefined();
    expect(guard).toBeUndefined();
    expect((await shop.status()).versions).toMatchObject([{ version }]);
    expect(await shop.revisions('Deployment', 'api')).toBe(4);
  });

  it('goes back to the last good version again when the newer one fails as well', async () => {
    const shop = await guarded();
    const first = await shop.putBad();
    await shop.reverted(first.version);

    const second = await shop.putBad('unready');
    await shop.reverted(second.version);

    await expect(shop.healthy()).resolves.toBeUndefined();
  });

  it('goes back although the version before was still being rolled out when the failing one came', async () => {
    const shop = await guarded();
    const slow = await shop.putBad('unready');
    await shop.rolledOut('db', slow.version, 'Progressing');

    const bad = await shop.putBad();
    await shop.reverted(bad.version);

    await expect(shop.healthy()).resolves.toBeUndefined();
  });

  it('is tried again with keyferry.io/retry', async () => {
    const shop = await guarded();
    const bad = await shop.putBad();
    await shop.reverted(bad.version);
    await shop.healthy();
    kubelet.heal(bad.value);

    await shop.kubectl('annotate', 'sref', 'db', `${annotations.retry}=now`);
    await shop.rolledOut('db', bad.version);

    expect((await shop.status()).held).toBeUndefined();
    expect(await world.secretData(shop.namespace, 'db')).toEqual({ password: bad.value });
  });

  it('that is tried again and fails again goes back again', async () => {
    const shop = await guarded();
    const bad = await shop.putBad();
    await shop.reverted(bad.version);
    await shop.healthy();

    await shop.kubectl('annotate', 'sref', 'db', `${annotations.retry}=now`);
    await eventually('it was tried', async () => {
      expect((await shop.status()).held?.retry).toBe('now');
    });
    await shop.reverted(bad.version);

    await expect(shop.healthy()).resolves.toBeUndefined();
  });

  it('rolls everyone back whom it had reached, once', async () => {
    const shop = await guarded();
    // Without pods it is complete at once.
    await shop.workload('Deployment', 'quick');
    await shop.known('db', 'Deployment quick');

    const bad = await shop.putBad();
    await shop.reverted(bad.version);
    await shop.healthy();

    expect(await shop.marker('Deployment', 'quick')).toBe(await shop.content());
    expect(await shop.revisions('Deployment', 'quick')).toBe(3);
  });

  it('moves one reference only: the same secret stays new elsewhere', async () => {
    const shop = await guarded();
    const data = { password: { secret: shop.secret('db') } };
    await shop.reference('elsewhere', { spec: { data } });

    const bad = await shop.putBad();
    await shop.reverted(bad.version);

    expect(await world.secretData(shop.namespace, 'elsewhere')).toEqual({ password: bad.value });
  });
});

itLeaksNothing(() => world);
