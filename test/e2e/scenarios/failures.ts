import { expect, test } from 'vitest';
import { runCommand } from '../../cluster/command.ts';
import { pods, sees } from '../apps.ts';
import { leader, release, rolledOut } from '../release.ts';
import { type World, within } from '../world.ts';

const namespace = 'shop';

/** What the on-call is woken by. */
export function failures(world: World): void {
  test('a rotation goes on when the working pod of the operator is deleted in the middle of it', async () => {
    const gone = await leader(world);
    await world.keyferry(['put', 'db.password', '-n', namespace], 'third-password');
    await world.kubectl('delete', 'pod', gone, '-n', release.namespace, '--grace-period=0', '--force');

    for (const name of ['mounts', 'env']) {
      await within(`each pod of ${name} sees the password`, async () => {
        expect([...(await sees(world, namespace, name)).values()]).toEqual(['third-password', 'third-password']);
      });
      await rolledOut(world, namespace, name);
    }
    await rolledOut(world, release.namespace, 'keyferry');
    await within('another pod works', async () => expect(await leader(world)).not.toBe(gone));
    expect(await generations(world, 'env')).toBe(3);
  });

  test("a rotation goes on when the node's kubelet dies in the middle of it", async () => {
    await world.keyferry(['put', 'db.password', '-n', namespace], 'fourth-password');
    const [command, ...args] = world.cluster.killKubelet;
    await runCommand(command, args);

    for (const name of ['mounts', 'env']) {
      await within(`each pod of ${name} sees the password`, async () => {
        expect([...(await sees(world, namespace, name)).values()]).toEqual(['fourth-password', 'fourth-password']);
      });
      await rolledOut(world, namespace, name);
    }
    expect(await generations(world, 'env')).toBe(4);
    expect((await pods(world, namespace, 'env')).size).toBe(2);
  });
}

/** How many pod templates a workload has had. */
async function generations(world: World, name: string): Promise<number> {
  const sets = await world.kubectl('get', 'replicaset', '-n', namespace, '-l', `app=${name}`, '-o', 'name');
  return sets.trim().split('\n').length;
}
