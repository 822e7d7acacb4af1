import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { awsError, forwardTo } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import {
  conditionOf,
  createTaps,
  putCanary,
  refTo,
  unique,
  untilCalls,
  untilHolds,
  untilStale,
  versionOf,
} from './faults-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

let world: World;
const taps = createTaps();

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.stop();
  await taps.close();
});

describe('while the backend is away', () => {
  it('keeps Secret and Ready, says Stale, and catches up when it is back', async () => {
    const tap = await taps.open(world);
    const [namespace, first, second] = [await world.namespace(), unique('db'), unique('late')];
    const [before, late] = [await putCanary(world, first), await putCanary(world, second)];
    const managerRef = refTo(tap.manager);
    await world.reference(namespace, 'app', { managerRef, data: { password: { secret: first } } });
    await untilHolds(world, namespace, 'app', { password: before });
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    const ready = await world.waitReady(namespace, 'app', 'Synced');

    await tap.wire.set('refuse');
    const rotated = await putCanary(world, first);
    await world.reference(namespace, 'late', { managerRef, data: { password: { secret: second } } });

    const stale = await untilStale(world, namespace, 'app', 'True');
    expect(stale.reason).toBe('ManagerUnavailable');
    expect(stale.message).toContain('keeps its last values');
    const unheard = await world.waitReady(namespace, 'late', 'ManagerUnavailable');
    expect(unheard.status).toBe('False');
    expect(await conditionOf(world, namespace, 'app', 'Ready')).toEqual(ready);
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);
    expect(await world.api.find('Secret', { namespace, name: 'late' })).toBeUndefined();

    await tap.wire.set('pass');
    await untilHolds(world, namespace, 'app', { password: rotated });
    await untilHolds(world, namespace, 'late', { password: late });
    await untilStale(world, namespace, 'app', 'False');
    await world.waitReady(namespace, 'late', 'Synced');
  });

  it('deletes a reference and its Secret all the same', async () => {
    const tap = await taps.open(world);
    const [namespace, secret] = [await world.namespace(), unique('db')];
    const value = await putCanary(world, secret);
    await world.reference(namespace, 'app', {
      managerRef: refTo(tap.manager),
      data: { password: { secret } },
    });
    await untilHolds(world, namespace, 'app', { password: value });

    await tap.wire.set('hold');
    await world.api.delete('SecretReference', { namespace, name: 'app' });

    const left = await eventually('the Secret is gone', async () => {
      const objects = await Promise.all([
        world.api.find('SecretReference', { namespace, name: 'app' }),
        world.api.find('Secret', { namespace, name: 'app' }),
      ]);
      if (objects[1] !== undefined) throw new Error('it is there');
      return objects;
    });
    expect(left).toEqual([undefined, undefined]);
  });

  it('does not write when only the request id of an error changes', async () => {
    const tap = await taps.open(world);
    const [namespace, secret] = [await world.namespace(), unique('db')];
    await putCanary(world, secret);
    await world.reference(namespace, 'app', {
      managerRef: refTo(tap.manager),
      data: { password: { secret } },
    });
    await world.waitReady(namespace, 'app', 'Synced');
    tap.server.handle(() => {
      const id = unique('request');
      return awsError('AccessDeniedException', `User is not authorized (RequestId: ${id})`, { 'x-amzn-requestid': id });
    });

    const denied = await world.waitReady(namespace, 'app', 'AccessDenied');
    const [stored, writes] = [
      await versionOf(world, 'SecretReference', namespace, 'app'),
      (await world.operatorWrites()).length,
    ];
    await untilCalls(tap.server, tap.server.calls.length + 5);

    expect(denied.message).not.toContain('request-');
    expect(await versionOf(world, 'SecretReference', namespace, 'app')).toBe(stored);
    const ours = (await world.operatorWrites())
      .slice(writes)
      .filter(({ objectRef }) => objectRef.namespace === namespace);
    // The event of the refusal comes a moment later.
    expect(ours.filter(({ objectRef }) => objectRef.resource !== 'events')).toEqual([]);
    tap.heal();
    await world.waitReady(namespace, 'app', 'Synced');
  });
});

describe('a backend that throttles', () => {
  it('is asked once for all references of a secret, and not before it said', async () => {
    const tap = await taps.open(world);
    const [namespace, secret] = [await world.namespace(), unique('db')];
    const value = await putCanary(world, secret);
    const names = Array.from({ length: 20 }, (_, index) => `app-${index}`);
    for (const name of names) {
      await world.reference(namespace, name, { managerRef: refTo(tap.manager), data: { password: { secret } } });
    }
    for (const name of names) await untilHolds(world, namespace, name, { password: value });
    const retryAfter = 4;
    const times: number[] = [];
    tap.server.handle(({ action }) => {
      if (action !== 'GetCallerIdentity') times.push(performance.now());
      return awsError('ThrottlingException', 'Rate exceeded', { 'retry-after': String(retryAfter) });
    });

    for (const name of names) expect((await untilStale(world, namespace, name, 'True')).reason).toBe('Throttled');

    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
    // A timer may fire a millisecond early.
    expect(gaps.filter((gap) => gap < retryAfter * 1000 - 5)).toEqual([]);
    expect(times.length).toBeLessThanOrEqual(4);
    for (const name of names) expect((await world.ready(namespace, name)).status).toBe('True');
    tap.heal();
    for (const name of names) await untilStale(world, namespace, name, 'False');
  });

  it('tells a new reference so while it may not be asked', async () => {
    const tap = await taps.open(world);
    const [namespace, first, second] = [await world.namespace(), unique('db'), unique('new')];
    await putCanary(world, first);
    await world.reference(namespace, 'app', { managerRef: refTo(tap.manager), data: { password: { secret: first } } });
    await world.waitReady(namespace, 'app', 'Synced');
    tap.server.handle(() => awsError('ThrottlingException', 'Rate exceeded', { 'retry-after': '300' }));
    tap.server.forget();
    await untilCalls(tap.server, 1);
    await world.reference(namespace, 'new', { managerRef: refTo(tap.manager), data: { password: { secret: second } } });

    const ready = await world.waitReady(namespace, 'new', 'Throttled');

    expect(ready.status).toBe('False');
    expect(tap.server.calls.length).toBe(1);
  });
});

describe('a backend that fails every call', () => {
  it('is called at most twice as often as one that works (L5)', async () => {
    const tap = await taps.open(world);
    const namespace = await world.namespace();
    const names = Array.from({ length: 45 }, () => unique('db'));
    const values = await Promise.all(names.map((name) => putCanary(world, name)));
    const data = Object.fromEntries(names.map((secret) => [secret, { secret }]));
    await world.reference(namespace, 'app', { managerRef: refTo(tap.manager), data });
    const wanted = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
    await untilHolds(world, namespace, 'app', wanted);
    // The burst of the first sync is over.
    await untilCalls(tap.server, 10);
    tap.server.forget();
    const started = performance.now();
    await untilCalls(tap.server, 18);
    const window = performance.now() - started;

    tap.server.handle(() => ({ status: 500, body: { __type: 'InternalServiceError', message: 'words' } }));
    const normal = tap.server.calls.length;
    tap.server.forget();
    const failing = performance.now();
    await eventually('as much time has passed', () => {
      if (performance.now() - failing < window) throw new Error('not yet');
    });

    expect(tap.server.calls.length).toBeGreaterThan(0);
    expect(tap.server.calls.length).toBeLessThanOrEqual(2 * normal);
    expect((await world.ready(namespace, 'app')).status).toBe('True');
    tap.heal();
    await untilStale(world, namespace, 'app', 'False');
    await untilHolds(world, namespace, 'app', wanted);
  });
});

describe('one tenant whose manager hangs', () => {
  it('delays no other tenant', async () => {
    const [hanging, good] = [await taps.open(world), await taps.open(world)];
    const [stuck, other] = [await world.namespace(), await world.namespace()];
    const [first, second] = [unique('db'), unique('db')];
    await putCanary(world, first);
    const value = await putCanary(world, second);
    hanging.server.handle((call) =>
      call.action === 'GetCallerIdentity' ? forwardTo(inject('moto').url)(call) : 'hang',
    );
    for (const index of Array.from({ length: 40 }).keys()) {
      await world.reference(stuck, `app-${index}`, {
        managerRef: refTo(hanging.manager),
        data: { password: { secret: first }, pinned: { secret: first, version: `v-${index}` } },
      });
    }
    await untilCalls(hanging.server, 1);

    await world.reference(other, 'app', { managerRef: refTo(good.manager), data: { password: { secret: second } } });
    await untilHolds(world, other, 'app', { password: value });

    const stillStuck = await world.api.list('Secret', stuck);
    expect(stillStuck).toEqual([]);
    hanging.heal();
  });
});

itLeaksNothing(() => world);
