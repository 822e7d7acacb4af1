import { expect, test } from 'vitest';
import { logToStderr } from '../../cluster/progress.ts';
import { app, client, clientResult, countReady, pods, sees } from '../apps.ts';
import { rolledOut } from '../release.ts';
import { type Manifest, type World, within } from '../world.ts';

const namespace = 'shop';

export function reference(name: string, secret: string, spec: Manifest = {}): Manifest {
  return {
    apiVersion: 'keyferry.io/v1',
    kind: 'SecretReference',
    metadata: { name, namespace },
    spec: { data: { password: { secret } }, ...spec },
  };
}

/** One secret, one application that mounts it and one that has it in its environment, and people that use the latter. */
export function rotate(world: World): void {
  test('a secret that is put by the command reaches the pods that mount it and those that have it in their environment', async () => {
    await world.kubectl('create', 'namespace', namespace);
    await world.keyferry(['put', 'db.password', '--create', '-n', namespace], 'first-password');
    await world.apply(
      reference('db', 'db.password'),
      ...app({ namespace, name: 'mounts', secret: 'db', takes: 'volume' }),
      ...app({ namespace, name: 'env', secret: 'db', takes: 'environment' }),
    );

    await rolledOut(world, namespace, 'mounts');
    await rolledOut(world, namespace, 'env');
    for (const name of ['mounts', 'env']) {
      expect([...(await sees(world, namespace, name)).values()]).toEqual(['first-password', 'first-password']);
      expect(await world.kubectl('logs', '-n', namespace, `deployment/${name}`)).toContain('sees first-password');
    }
  });

  test('a rotation reaches both, by new pods that are ready before the old ones end, and no request fails', async () => {
    await world.apply(client(namespace, 'env'));
    await within('the client is served', async () => {
      expect((await world.ask(clientResult, namespace, 'env-client')).answered).toBeGreaterThan(20);
    });
    const before = await world.ask(clientResult, namespace, 'env-client');
    const old = await pods(world, namespace, 'env');
    const names = ['mounts', 'env'];
    const count = countReady(world, namespace, names);

    await world.keyferry(['rotate', 'db.password', '-n', namespace, '--yes'], 'second-password');

    for (const name of names) {
      await rolledOut(world, namespace, name);
      await within(`each pod of ${name} sees the new password`, async () => {
        expect([...(await sees(world, namespace, name)).values()]).toEqual(['second-password', 'second-password']);
      });
    }
    expect(await count.stop()).toEqual([2, 2]);
    const now = await pods(world, namespace, 'env');
    expect([...now.keys()].filter((name) => old.has(name))).toEqual([]);
    const end = await world.ask(clientResult, namespace, 'env-client');
    expect({ failed: end.failed - before.failed, why: end.last }).toEqual({ failed: 0, why: '' });
    expect(end.answered).toBeGreaterThan(before.answered);
    logToStderr(`requests during the rotation: ${end.answered - before.answered}, the slowest took ${end.slowest} ms`);
    await world.kubectl('delete', 'pod', 'env-client', '-n', namespace);
  });

  test('one rotation makes one new generation of each workload', async () => {
    const sets = await world.kubectl('get', 'replicaset', '-n', namespace, '-l', 'app=env', '-o', 'name');
    expect(sets.trim().split('\n')).toHaveLength(2);
  });
}
