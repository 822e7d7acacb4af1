import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolledKind } from '../../src/api/v1/rollout.ts';
import { eventually } from '../operator/eventually.ts';
import { openGuardedShop } from './rollouts-guarded-support.ts';
import { type Kubelet, playKubelet } from './rollouts-kubelet.ts';
import { forceSync, openShop, type Shop } from './rollouts-support.ts';
import { itLeaksNothing } from './world-scan.ts';
import { type AuditEntry, startWorld, type World } from './world.ts';

let world: World;
let kubelet: Kubelet;

beforeAll(async () => {
  world = await startWorld({ flags: ['--rollout-min-interval=0s', '--leader-election=false'] });
  await world.manager();
  kubelet = playKubelet(world);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

/** What is written about workloads, their Secrets and references. */
const ofRollouts = new Set([
  'deployments',
  'statefulsets',
  'daemonsets',
  'cronjobs',
  'pods',
  'secrets',
  'secretreferences',
]);

async function writes(): Promise<readonly AuditEntry[]> {
  return (await world.operatorWrites()).filter(({ objectRef: { resource = '' } }) => ofRollouts.has(resource));
}

/** Waits until the operator has asked for a secret twice more: it has looked at everything by then. */
async function polled(secret: string): Promise<void> {
  const asked = (): number => world.backend.calls.filter((call) => call.body.includes(secret)).length;
  const before = asked();
  await eventually(`${secret} was asked for`, () => expect(asked()).toBeGreaterThanOrEqual(before + 2));
}

const kinds: readonly RolledKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** A reference whose consumers, one of each kind, were all rolled out once. */
async function rolledOnce(): Promise<Shop> {
  const shop = await openShop(world);
  await shop.put('db');
  await shop.reference();
  for (const kind of kinds) await shop.workload(kind, 'api');
  await shop.workload('CronJob', 'api', { annotations: { 'keyferry.io/rollout': 'true' } });
  await shop.known('db', ...kinds.map((kind) => `${kind} api`), 'CronJob api');
  await shop.rotate();
  return shop;
}

async function revisions(shop: Shop, name = 'api'): Promise<readonly number[]> {
  return Promise.all(kinds.map((kind) => shop.revisions(kind, name)));
}

describe('a start of the operator', () => {
  it('restarts nobody and writes nothing (Vault Secrets Operator #582, #1124; Reloader #810)', async () => {
    const shop = await rolledOnce();
    await shop.workload('Deployment', 'unmarked');
    await shop.known('db', 'Deployment unmarked');
    const before = await revisions(shop);
    await world.operator().stop();
    const written = (await writes()).length;

    await world.startOperator();
    await polled(shop.secret('db'));
    await world.operator().stop('SIGKILL');
    await world.startOperator();
    await polled(shop.secret('db'));

    expect((await writes()).slice(written)).toEqual([]);
    expect(await revisions(shop)).toEqual(before);
    await shop.rotate();
    expect(await revisions(shop)).toEqual(before.map((count) => count + 1));
    expect(await shop.marker('Deployment', 'unmarked')).toBe(await shop.content());
  });

  it('rolls out what changed while it was down, and nothing else (Reloader #481, #814)', async () => {
    const [changes, stays] = [await rolledOnce(), await rolledOnce()];
    const before = { changes: await revisions(changes), stays: await revisions(stays) };
    const markers = await stays.markers('Deployment', 'api');
    await world.operator().stop('SIGKILL');

    await changes.put('db');
    const version = await changes.put('db');
    // Its pods start on the Secret as it is now: on the old version.
    await changes.workload('Deployment', 'meanwhile');
    await world.startOperator();
    await changes.rolledOut('db', version);
    await forceSync(world, stays.namespace, 'db');
    await stays.witness();

    expect(await revisions(changes)).toEqual(before.changes.map((count) => count + 1));
    expect(await changes.marker('CronJob', 'api')).toBe(await changes.content());
    expect(await changes.revisions('Deployment', 'meanwhile')).toBe(2);
    expect(await revisions(stays)).toEqual(before.stays);
    expect(await stays.markers('Deployment', 'api')).toEqual(markers);
  });

  it('answers nothing that people did meanwhile', async () => {
    const shop = await rolledOnce();
    await world.operator().stop();
    const manifest = shop.manifest('Deployment', 'api', { templateAnnotations: { note: 'x' } });
    await shop.client.replace('Deployment', 'api', manifest);
    const before = await revisions(shop);

    await world.startOperator();
    await shop.fence();

    expect(await revisions(shop)).toEqual(before);
    expect(await shop.markers('Deployment', 'api')).toEqual({});
    await shop.rotate();
    expect(await shop.marker('Deployment', 'api')).toBe(await shop.content());
  });

  it('keeps what a guarded rotation holds', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const bad = await shop.putBad();
    await shop.reverted(bad.version);
    await shop.healthy();
    const count = await shop.revisions('Deployment', 'api');
    await world.operator().stop();
    const written = (await writes()).length;

    await world.startOperator();
    await polled(shop.secret('db'));

    expect((await writes()).slice(written)).toEqual([]);
    await shop.fence();
    await shop.reverted(bad.version);
    expect(await shop.revisions('Deployment', 'api')).toBe(count);
  });

  it('that happens while a guarded rollout fails goes back all the same', async () => {
    const shop = await openGuardedShop(world, kubelet);
    const bad = await shop.putBad();
    await shop.rolledOut('db', bad.version, 'Progressing');
    await world.operator().stop('SIGKILL');

    await world.startOperator();
    await shop.reverted(bad.version);

    await expect(shop.healthy()).resolves.toBeUndefined();
  });
});

describe('rotations in quick succession', () => {
  it('lose none: pods end on the last (Vault Secrets Operator #1228)', async () => {
    const shop = await rolledOnce();

    await shop.put('db');
    await shop.rotate();
    const first = await shop.marker('Deployment', 'api');
    const values = [world.canary(), world.canary(), world.canary()];
    for (const value of values.slice(0, 2)) await shop.put('db', value);
    const version = await shop.put('db', values[2]);
    await shop.rolledOut('db', version);

    expect(await shop.marker('Deployment', 'api')).not.toBe(first);
    for (const kind of kinds) expect(await shop.marker(kind, 'api')).toBe(await shop.content());
    expect(await world.secretData(shop.namespace, 'db')).toEqual({ password: values[2] });
  });
});

describe('an operator without the rights of rollouts, that was told so,', () => {
  it('syncs as ever, and says nothing of workloads', async () => {
    const before = await rolledOnce();
    const count = await revisions(before);
    await world.operator().stop();
    await world.kubectl('delete', 'clusterrolebinding,clusterrole', 'keyferry-rollouts');
    const written = (await writes()).length;
    await world.startOperator({ flags: ['--rollouts=false'] });
    const shop = await openShop(world);
    const value = world.canary();
    await shop.put('db');
    await shop.reference();
    await shop.workload('Deployment', 'api');

    await shop.put('db', value);
    await before.put('db', value);
    for (const { namespace } of [shop, before]) {
      await eventually('the Secret follows', async () => {
        expect(await world.secretData(namespace, 'db')).toEqual({ password: value });
      });
      await forceSync(world, namespace, 'db');
    }

    for (const each of [shop, before]) {
      const { consumers, conditions = [] } = await each.status();
      expect(consumers).toBeUndefined();
      expect(conditions.map(({ type }) => type)).toEqual(['Ready', 'Stale']);
      expect(
        await each.kubectl('get', 'sref', 'db', '-o', 'jsonpath={.status.conditions[?(@.type=="RolledOut")]}'),
      ).toBe('');
      expect((await each.kubectl('get', 'sref', 'db', '--no-headers')).split(/\s{2,}/)).toHaveLength(6);
    }
    expect(await shop.markers('Deployment', 'api')).toEqual({});
    expect(await revisions(before)).toEqual(count);
    const resources = (await writes()).slice(written).map(({ objectRef }) => objectRef.resource);
    expect(new Set(resources)).toEqual(new Set(['secrets', 'secretreferences']));
    expect(await world.operator().metrics()).not.toContain('keyferry_rollouts_total');
  });
});

itLeaksNothing(() => world);
