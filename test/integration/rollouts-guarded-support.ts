import { expect } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import type { Kubelet, Trouble } from './rollouts-kubelet.ts';
import { openShop, type Shop, type WorkloadOptions } from './rollouts-support.ts';
import type { World } from './world.ts';

export type GuardedKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** A shop whose reference `db` goes back when pods fail, and whose consumer `api` runs the first version. */
export interface GuardedShop extends Shop {
  /** The value of the first version. */
  readonly value: string;
  /** A version on which pods fail. */
  putBad(trouble?: Trouble): Promise<{ readonly version: string; readonly value: string }>;
  /** Waits until the Secret is back on the first value because a version failed; gives the message of RolledOut. */
  reverted(bad: string): Promise<string>;
  /** Waits until all pods are ready on what the Secret holds. */
  healthy(kind?: GuardedKind): Promise<void>;
}

export async function openGuardedShop(
  world: World,
  kubelet: Kubelet,
  kind: GuardedKind = 'Deployment',
  options: WorkloadOptions & { readonly rollout?: object } = {},
): Promise<GuardedShop> {
  const shop = await openShop(world);
  const value = world.canary();
  const { rollout = {}, ...workload } = options;
  await shop.put('db', value);
  await shop.reference('db', { rollout: { onFailure: 'Revert', progressDeadline: '3s', ...rollout } });
  await shop.workload(kind, 'api', { replicas: 1, ...workload });
  await shop.until(`${kind} api`, 'Complete');
  await eventually('its pod is ready', async () => {
    expect(JSON.stringify(await shop.client.list('Pod', 'app=api'))).toContain('"Running"');
  });
  return {
    ...shop,
    value,
    putBad: async (trouble = 'crash') => {
      const bad = world.canary();
      kubelet.spoil(bad, trouble);
      return { version: await shop.put('db', bad), value: bad };
    },
    reverted: (bad) =>
      eventually(`${shop.namespace} went back`, async () => {
        const { conditions = [], held } = await shop.status();
        const condition = conditions.find(({ type }) => type === 'RolledOut');
        expect(condition).toMatchObject({ status: 'False', reason: 'Reverted' });
        expect(held?.bad.versions).toMatchObject([{ version: bad }]);
        expect(await world.secretData(shop.namespace, 'db')).toEqual({ password: value });
        return condition?.message ?? '';
      }),
    healthy: async (kind = 'Deployment') => {
      const content = await shop.content();
      await eventually(`${kind} api runs ${content}`, async () => {
        expect(await shop.consumer(`${kind} api`)).toMatchObject({ state: 'Complete', content });
      });
    },
  };
}
