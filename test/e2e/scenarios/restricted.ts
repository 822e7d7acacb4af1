import { expect, test } from 'vitest';
import { sees } from '../apps.ts';
import { chart, imageFlags, release, rolledOut } from '../release.ts';
import { type World, within } from '../world.ts';

const namespace = 'shop';

/** For a cluster that many share: the operator reaches the namespaces that it is told, by Roles there. It finds what the first installation left. */
export function restricted(world: World): void {
  test('an installation for one namespace goes on where the one before stopped', async () => {
    await world.helm(
      'install',
      release.name,
      chart,
      '--namespace',
      release.namespace,
      ...imageFlags,
      `--set=watchNamespaces={${namespace}}`,
      '--wait',
      '--timeout=3m',
    );
    await rolledOut(world, release.namespace, 'keyferry');

    await world.keyferry(['rotate', 'db.password', '-n', namespace, '--yes'], 'fifth-password');

    for (const name of ['mounts', 'env']) {
      await rolledOut(world, namespace, name);
      await within(`each pod of ${name} sees the password`, async () => {
        expect([...(await sees(world, namespace, name)).values()]).toEqual(['fifth-password', 'fifth-password']);
      });
    }
  });

  test('it may read Secrets there and nowhere else', async () => {
    expect(await canI(world, 'list', 'secrets', namespace)).toBe('yes');
    expect(await canI(world, 'list', 'secrets', 'default')).toBe('no');
    expect(await canI(world, 'patch', 'deployments.apps', 'default')).toBe('no');
  });
}

async function canI(world: World, verb: string, resource: string, where: string): Promise<string> {
  const account = `system:serviceaccount:${release.namespace}:keyferry`;
  const question = ['auth', 'can-i', verb, resource, '-n', where, `--as=${account}`];
  // kubectl says no by its exit code too.
  return world.kubectl(...question).then(
    (answer) => answer.trim(),
    (error: unknown) => (String(error).includes(': no') ? 'no' : String(error)),
  );
}
