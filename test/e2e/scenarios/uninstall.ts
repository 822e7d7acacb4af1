import { expect, test } from 'vitest';
import { pods, sees } from '../apps.ts';
import { release } from '../release.ts';
import { type World, within } from '../world.ts';

const namespace = 'shop';

export function uninstall(world: World): void {
  test('uninstalling leaves every Secret and pod of the applications, and nothing of the operator', async () => {
    const secrets = await world.kubectl('get', 'secrets', '-n', namespace, '-o', 'name');
    const apps = await pods(world, namespace, 'env');

    await world.helm('uninstall', release.name, '--namespace', release.namespace, '--wait', '--timeout=3m');

    await within('the pods of the operator are gone', async () => {
      expect(await world.kubectl('get', 'pods', '-n', release.namespace, '-o', 'name')).toBe('');
    });
    expect(await world.kubectl('get', 'secrets', '-n', namespace, '-o', 'name')).toBe(secrets);
    expect(await pods(world, namespace, 'env')).toEqual(apps);
    expect([...(await sees(world, namespace, 'env')).values()]).toEqual(['fourth-password', 'fourth-password']);
    const kinds = [
      'clusterroles',
      'clusterrolebindings',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
    ];
    const left = await world.kubectl(
      'get',
      kinds.join(','),
      '-l',
      `app.kubernetes.io/instance=${release.name}`,
      '-o',
      'name',
    );
    expect(left).toBe('');
  });

  test('the CRDs stay, and with them what people made, so that a new installation goes on', async () => {
    expect(await world.kubectl('get', 'sref', '-n', namespace, '-o', 'name')).toContain(
      'secretreference.keyferry.io/db',
    );
    expect(await world.kubectl('get', 'vsec', '-n', namespace, '-o', 'name')).toContain(
      'versionedsecret.keyferry.io/db.password',
    );
  });
}
