import { expect, test } from 'vitest';
import { pods, sees } from '../apps.ts';
import { chart, imageFlags, operatorPods, release, rolledOut } from '../release.ts';
import type { World } from '../world.ts';

const namespace = 'shop';

/** The same chart with other values stands for the next version: every pod of the operator is replaced. */
export function upgrade(world: World): void {
  test('an upgrade replaces the operator and sets the default manager, and leaves the pods of applications', async () => {
    const before = await operatorPods(world);
    const apps = await pods(world, namespace, 'env');

    await world.helm(
      'upgrade',
      release.name,
      chart,
      '--namespace',
      release.namespace,
      ...imageFlags,
      '--set=logFormat=text',
      '--set=defaultManager.embedded.limits.secrets=120',
      '--wait',
      '--timeout=3m',
    );

    await rolledOut(world, release.namespace, 'keyferry');
    const after = await operatorPods(world);
    expect(after.filter(({ name }) => before.some((old) => old.name === name))).toEqual([]);
    // Helm leaves it as it was the first time: a pod of a hook sets it, and is gone again.
    expect(await world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.spec.embedded.limits.secrets}')).toBe(
      '120',
    );
    expect(await world.kubectl('get', 'pods,clusterroles', '-A', '-o', 'name')).not.toContain('/keyferry-set');
    // A put goes through to the pods: the new version works, and what it found it left as it was.
    await world.keyferry(['rotate', 'orders.password', '-n', namespace, '--yes'], 'after-the-upgrade');
    await rolledOut(world, namespace, 'orders');
    expect([...(await sees(world, namespace, 'orders')).values()]).toEqual(['after-the-upgrade', 'after-the-upgrade']);
    expect(await pods(world, namespace, 'env')).toEqual(apps);
  });
}
