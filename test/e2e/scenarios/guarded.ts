import { expect, test } from 'vitest';
import { app, sees } from '../apps.ts';
import { rolledOut } from '../release.ts';
import { type World, within } from '../world.ts';
import { reference } from './rotate.ts';

const namespace = 'shop';

/** A password that the application's database does not know. */
export function guarded(world: World): void {
  test('a password that the new pods refuse is taken back, and the old pods never stopped serving', async () => {
    await world.keyferry(['put', 'orders.password', '--create', '-n', namespace], 'good-password');
    await world.apply(
      reference('orders', 'orders.password', { rollout: { onFailure: 'Revert', progressDeadline: '20s' } }),
      ...app({ namespace, name: 'orders', secret: 'orders', takes: 'environment' }),
    );
    await rolledOut(world, namespace, 'orders');
    await within('the rollout is complete', async () => {
      expect(await condition(world, 'RolledOut')).toContain('Complete');
    });

    await world.keyferry(['put', 'orders.password', '-n', namespace], 'refused-password');

    await within(
      'the reference says that it was taken back',
      async () => {
        expect(await condition(world, 'RolledOut')).toContain('Reverted');
      },
      150_000,
    );
    await rolledOut(world, namespace, 'orders');
    expect([...(await sees(world, namespace, 'orders')).values()]).toEqual(['good-password', 'good-password']);
  });

  test('the next good password goes out', async () => {
    await world.keyferry(['put', 'orders.password', '-n', namespace], 'better-password');
    await within('each pod sees it', async () => {
      expect([...(await sees(world, namespace, 'orders')).values()]).toEqual(['better-password', 'better-password']);
    });
    await rolledOut(world, namespace, 'orders');
  });
}

function condition(world: World, type: string): Promise<string> {
  const path = `jsonpath={.status.conditions[?(@.type=="${type}")].reason}`;
  return world.kubectl('get', 'sref', 'orders', '-n', namespace, '-o', path);
}
