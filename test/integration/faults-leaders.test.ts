import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { operatorIdentity } from '../operator/install.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { putCanary, unique, untilHolds, versionOf } from './faults-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const quick = ['--lease-duration=5s', '--renew-deadline=4s', '--retry-period=500ms'];
/** Whoever waits for such a lease to expire waits longer than the test. */
const slow = ['--lease-duration=600s', '--renew-deadline=500s', '--retry-period=500ms'];
const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let world: World;
const running: OperatorProcess[] = [];

beforeAll(async () => {
  world = await startWorld({ operator: false });
  await world.manager();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((operator) => operator.stop('SIGKILL')));
  await world.api.delete('Lease', lease);
});
afterAll(async () => {
  await world.stop();
});

const lease = { namespace: operatorIdentity.namespace, name: 'keyferry-operator' };
const leaseSchema = z.object({
  spec: z.object({
    holderIdentity: z.string().nullish(),
    acquireTime: z.string(),
    renewTime: z.string(),
    leaseTransitions: z.int().optional(),
  }),
});

async function leaseNow() {
  return leaseSchema.parse(await world.api.get('Lease', lease)).spec;
}

async function untilLeads(identity: string): Promise<void> {
  await eventually(`${identity} leads`, async () => {
    expect((await leaseNow()).holderIdentity).toBe(identity);
  });
}

async function start(identity: string, flags: readonly string[]): Promise<OperatorProcess> {
  const operator = await world.startOperator({ flags: [...flags, `--identity=${identity}`] });
  running.push(operator);
  return operator;
}

/** A leader and a standby. */
async function startPair(
  flags: readonly string[],
): Promise<readonly [leader: OperatorProcess, standby: OperatorProcess]> {
  const leader = await start('first', flags);
  await untilLeads('first');
  return [leader, await start('second', flags)];
}

async function addReference(): Promise<{ readonly namespace: string; readonly secret: string }> {
  const [namespace, secret] = [await world.namespace(), unique('db')];
  const password = await putCanary(world, secret);
  await world.reference(namespace, 'app', { data: { password: { secret } } });
  await untilHolds(world, namespace, 'app', { password });
  // The status comes after the Secret: until then a write is still on its way.
  await world.waitReady(namespace, 'app', 'Synced');
  return { namespace, secret };
}

async function rotate({ namespace, secret }: { namespace: string; secret: string }): Promise<void> {
  const password = await putCanary(world, secret);
  await untilHolds(world, namespace, 'app', { password });
}

async function probe(operator: OperatorProcess, path: string): Promise<number> {
  const answer = await fetch(`${operator.url}${path}`);
  await answer.arrayBuffer();
  return answer.status;
}

describe('two operators', () => {
  it('take turns: one leads and works, the other is ready, live and does nothing', async () => {
    const [leader, standby] = await startPair(quick);
    await addReference();

    expect(await Promise.all([leader, standby].map((each) => probe(each, '/readyz')))).toEqual([200, 200]);
    expect(await Promise.all([leader, standby].map((each) => probe(each, '/livez')))).toEqual([200, 200]);
    expect(await leader.metric('controller_runtime_reconcile_total')).toBeGreaterThan(0);
    expect(await standby.metric('controller_runtime_reconcile_total')).toBe(0);
    expect(await standby.metric('keyferry_backend_calls_total')).toBe(0);
    const { acquireTime, renewTime } = await leaseNow();
    expect([acquireTime, renewTime]).toEqual([expect.stringMatching(microTime), expect.stringMatching(microTime)]);
  });

  it('go on when the leader is killed', async () => {
    const [leader, standby] = await startPair(quick);
    const reference = await addReference();
    const status = await versionOf(world, 'SecretReference', reference.namespace, 'app');
    const target = await versionOf(world, 'Secret', reference.namespace, 'app');

    leader.signal('SIGKILL');
    await untilLeads('second');

    await eventually('the new leader looked at everything', async () => {
      expect(
        await standby.metric('controller_runtime_reconcile_total', { controller: 'secretreference' }),
      ).toBeGreaterThan(0);
    });
    await addReference();
    // A failover is no reason to write.
    expect(await versionOf(world, 'SecretReference', reference.namespace, 'app')).toBe(status);
    expect(await versionOf(world, 'Secret', reference.namespace, 'app')).toBe(target);
    await rotate(reference);
  });

  it('survive a leader that sleeps through its lease: it ends when it wakes and harms nothing', async () => {
    const [leader, standby] = await startPair(quick);
    const reference = await addReference();

    leader.signal('SIGSTOP');
    await untilLeads('second');
    await rotate(reference);
    await rotate(reference);
    const target = await versionOf(world, 'Secret', reference.namespace, 'app');
    leader.signal('SIGCONT');

    expect(await leader.exited).toBe('exit code 1');
    expect(await leader.log()).toContain('lost leadership');
    await untilLeads('second');
    expect(standby.ended()).toBeUndefined();
    expect(await versionOf(world, 'Secret', reference.namespace, 'app')).toBe(target);
    await rotate(reference);
  });

  it('hand over at once on SIGTERM', async () => {
    const [leader, standby] = await startPair(slow);
    const reference = await addReference();

    leader.signal('SIGTERM');

    expect(await leader.exited).toBe('exit code 0');
    await untilLeads('second');
    await rotate(reference);
    standby.signal('SIGTERM');
    expect(await standby.exited).toBe('exit code 0');
    expect((await leaseNow()).holderIdentity ?? '').toBe('');
  });

  it('end in good order when told to while they wait', async () => {
    const [leader, standby] = await startPair(slow);

    standby.signal('SIGTERM');

    expect(await standby.exited).toBe('exit code 0');
    await untilLeads('first');
    expect(leader.ended()).toBeUndefined();
  });
});

describe('the endpoints of an operator', () => {
  it('have the metrics that dashboards know, and no name of a secret', async () => {
    const operator = await start('first', quick);
    await untilLeads('first');
    const { namespace, secret } = await addReference();
    await world.reference(namespace, 'wrong', { data: { password: { secret: unique('missing') } } });
    await world.waitReady(namespace, 'wrong', 'SecretNotFound');

    const text = await operator.metrics();

    const families = [
      'controller_runtime_reconcile_total',
      'controller_runtime_reconcile_errors_total',
      'controller_runtime_reconcile_time_seconds_bucket',
      'controller_runtime_active_workers',
      'workqueue_depth',
      'workqueue_adds_total',
      'workqueue_queue_duration_seconds_bucket',
      'workqueue_retries_total',
      'rest_client_requests_total',
      'keyferry_references',
      'keyferry_references_stale',
      'keyferry_backend_calls_total',
      'keyferry_backend_call_seconds_bucket',
      'process_cpu_seconds_total',
    ];
    const missing = families.filter((family) => !new RegExp(`^${family}[{ ]`, 'm').test(text));
    expect(missing).toEqual([]);
    expect(await operator.metric('keyferry_references', { reason: 'SecretNotFound' })).toBeGreaterThan(0);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(namespace);
    expect(await probe(operator, '/anything')).toBe(404);
    const events = z.array(z.looseObject({ eventTime: z.string() })).parse(await world.api.list('Event', namespace));
    expect(events.length).toBeGreaterThan(0);
    expect(events.filter(({ eventTime }) => !microTime.test(eventTime))).toEqual([]);
  });
});

itLeaksNothing(() => world);
