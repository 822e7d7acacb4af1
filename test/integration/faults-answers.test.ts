import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { type AwsCall, type AwsHandler, type AwsReply, forwardTo, ok } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { operatorIdentity } from '../operator/install.ts';
import {
  conditionOf,
  createTaps,
  putCanary,
  refTo,
  type Tap,
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

interface Synced {
  readonly tap: Tap;
  readonly namespace: string;
  readonly names: readonly [string, string];
  readonly held: Readonly<Record<string, string>>;
}

/** A reference to two secrets, one key each, that is in sync. */
async function syncedPair(): Promise<Synced> {
  const tap = await taps.open(world);
  const [namespace, one, two] = [await world.namespace(), unique('one'), unique('two')];
  const held = { one: await putCanary(world, one), two: await putCanary(world, two) };
  const data = { one: { secret: one }, two: { secret: two } };
  await world.reference(namespace, 'app', { managerRef: refTo(tap.manager), data });
  await untilHolds(world, namespace, 'app', held);
  // The Secret comes before the status that speaks of it.
  await world.waitReady(namespace, 'app', 'Synced');
  return { tap, namespace, names: [one, two], held };
}

const batchSchema = z.object({ SecretValues: z.array(z.looseObject({ Name: z.string() })) });

/** Changes the answer of a backend that works. */
function altered(change: (text: string, call: AwsCall) => AwsReply): AwsHandler {
  return async (call) => {
    const reply = await forwardTo(inject('moto').url)(call);
    const isRead = call.action === 'BatchGetSecretValue' || call.action === 'GetSecretValue';
    if (typeof reply === 'string' || !isRead) return reply;
    return change(z.string().parse(reply.body), call);
  };
}

function blanked<T extends { Name: string }>(value: T, name: string): T & { SecretString?: string } {
  return value.Name === name ? { ...value, SecretString: '' } : value;
}

function withoutName(name: string): AwsHandler {
  return altered((text, { action, input }) => {
    if (action === 'GetSecretValue') return ok(input['SecretId'] === name ? {} : JSON.parse(text));
    const { SecretValues } = batchSchema.parse(JSON.parse(text));
    return ok({ SecretValues: SecretValues.filter((value) => value.Name !== name), Errors: [] });
  });
}

describe('half an answer', () => {
  it('without one of the names takes no key away, and the others go on', async () => {
    const { tap, namespace, names, held } = await syncedPair();
    tap.server.handle(withoutName(names[1]));
    const rotated = await putCanary(world, names[0]);

    await untilHolds(world, namespace, 'app', { ...held, one: rotated });
    const stale = await untilStale(world, namespace, 'app', 'True');

    expect(stale.message).toMatch(/out of its answer|incomplete answer/);
    expect((await world.ready(namespace, 'app')).status).toBe('True');
    expect(await world.secretData(namespace, 'app')).toEqual({ ...held, one: rotated });
    tap.heal();
    await untilStale(world, namespace, 'app', 'False');
  });

  const cut: readonly (readonly [string, (text: string) => AwsReply])[] = [
    ['cut off in the middle', (text) => ({ status: 200, body: text.slice(0, text.length / 2) })],
    ['of nothing', () => ({ status: 200, body: '' })],
    ['of an empty object', () => ok({})],
    ['of a proxy', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' })],
    ['of a gateway', () => ({ status: 502, headers: { 'content-type': 'text/html' }, body: '<html>bad</html>' })],
    ['of a teapot', () => ({ status: 404, headers: { 'content-type': 'text/html' }, body: '<html>no</html>' })],
  ];
  it.concurrent.each(cut)('%s changes nothing but Stale', async (_what, change) => {
    const { tap, namespace, names, held } = await syncedPair();
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    tap.server.handle(altered((text) => change(text)));

    const stale = await untilStale(world, namespace, 'app', 'True');

    expect(stale.reason).toBe('ManagerUnavailable');
    expect((await world.ready(namespace, 'app')).status).toBe('True');
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);
    const rotated = await putCanary(world, names[0]);
    tap.heal();
    await untilHolds(world, namespace, 'app', { ...held, one: rotated });
  });

  it('with an empty value blanks no key', async () => {
    const { tap, namespace, names, held } = await syncedPair();
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    tap.server.handle(
      altered((text, { action }) => {
        if (action === 'GetSecretValue') return ok(JSON.parse(text));
        const { SecretValues } = batchSchema.parse(JSON.parse(text));
        return ok({
          SecretValues: SecretValues.map((value) => blanked(value, names[0])),
        });
      }),
    );

    const ready = await world.waitReady(namespace, 'app', 'InvalidValue');

    expect(ready.message).toContain(names[0]);
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);
    expect(await world.secretData(namespace, 'app')).toEqual(held);
    tap.heal();
    await world.waitReady(namespace, 'app', 'Synced');
  });

  it('of a list that is empty removes no found key', async () => {
    const tap = await taps.open(world);
    const [namespace, prefix] = [await world.namespace(), unique('found')];
    const held = {
      [`${prefix}.a`]: await putCanary(world, `${prefix}.a`),
      [`${prefix}.b`]: await putCanary(world, `${prefix}.b`),
    };
    await world.reference(namespace, 'app', { managerRef: refTo(tap.manager), dataFrom: [{ find: { prefix } }] });
    await untilHolds(world, namespace, 'app', held);
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    const pass = forwardTo(inject('moto').url);
    tap.server.handle((call) => (call.action === 'ListSecrets' ? ok({ SecretList: [] }) : pass(call)));
    tap.server.forget();

    await untilCalls(tap.server, 12);
    expect(tap.server.count('ListSecrets')).toBeGreaterThan(1);
    expect(tap.server.count('DescribeSecret')).toBeGreaterThan(1);
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);

    tap.heal();
    await world.aws.delete(`${prefix}.b`);
    await untilHolds(world, namespace, 'app', { [`${prefix}.a`]: held[`${prefix}.a`] ?? '' });
  });
});

describe('an operator that starts while the backend is away', () => {
  it('leaves targets and Ready as they are, writes nothing but Stale, and catches up', async () => {
    const { tap, namespace, names, held } = await syncedPair();
    const ready = await world.ready(namespace, 'app');
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    await world.operator().stop();
    await tap.wire.set('refuse');
    const rotated = await putCanary(world, names[0]);
    const writes = (await world.operatorWrites()).length;

    await world.startOperator();
    const stale = await untilStale(world, namespace, 'app', 'True');

    const written = (await world.operatorWrites())
      .slice(writes)
      .filter((entry) => entry.objectRef.namespace === namespace);
    expect(written.map(({ objectRef }) => `${objectRef.resource}/${objectRef.subresource ?? ''}`)).toEqual([
      'secretreferences/status',
      ...written.slice(1).map(() => 'events/'),
    ]);
    expect(await world.ready(namespace, 'app')).toEqual(ready);
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);

    // A restart in the middle of the outage knows less than the status says: since when it lasts stays.
    await world.operator().stop('SIGKILL');
    await world.startOperator();
    tap.server.handle(() => ({ status: 500, body: { __type: 'InternalServiceError', message: 'words' } }));
    await tap.wire.set('pass');
    const again = await eventually('the new process says what it found', async () => {
      const condition = await conditionOf(world, namespace, 'app', 'Stale');
      if (!condition.message.includes('internal failure')) throw new Error(condition.message);
      return condition;
    });
    expect(again).toMatchObject({ status: 'True', lastTransitionTime: stale.lastTransitionTime });
    expect(await world.ready(namespace, 'app')).toEqual(ready);

    tap.heal();
    await untilHolds(world, namespace, 'app', { ...held, one: rotated });
    await untilStale(world, namespace, 'app', 'False');
  });
});

describe('credentials', () => {
  it('that go away and come back leave the Secret alone, and say so meanwhile', async () => {
    const tap = await taps.open(world);
    const [namespace, name, secret] = [await world.namespace(), unique('keyed'), unique('db')];
    const { namespace: home } = operatorIdentity;
    const keys = {
      kind: 'Secret',
      metadata: { name, namespace: home },
      stringData: { 'access-key-id': 'test', 'secret-access-key': 'test' },
    };
    await world.apply(keys);
    const aws = { endpoint: `http://127.0.0.1:${tap.wire.port}`, auth: { secretRef: { name } } };
    await world.manager({ name, aws });
    const value = await putCanary(world, secret);
    await world.reference(namespace, 'app', { managerRef: refTo(name), data: { password: { secret } } });
    await untilHolds(world, namespace, 'app', { password: value });
    await world.waitReady(namespace, 'app', 'Synced');
    const stored = await versionOf(world, 'Secret', namespace, 'app');

    await world.api.delete('Secret', { namespace: home, name });
    const stale = await untilStale(world, namespace, 'app', 'True');

    expect(stale.message).toContain('credentials');
    expect((await world.ready(namespace, 'app')).status).toBe('True');
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);
    const rotated = await putCanary(world, secret);
    await world.apply(keys);
    await untilHolds(world, namespace, 'app', { password: rotated });
    await untilStale(world, namespace, 'app', 'False');
  });

  it('that the backend refuses are told as such, and heal', async () => {
    const { tap, namespace, names, held } = await syncedPair();
    const stored = await versionOf(world, 'Secret', namespace, 'app');
    tap.server.handle(() => ({
      status: 403,
      body: { __type: 'UnrecognizedClientException', message: 'token invalid' },
    }));

    const ready = await world.waitReady(namespace, 'app', 'AccessDenied');

    expect(ready.message).toContain('credentials');
    expect(await versionOf(world, 'Secret', namespace, 'app')).toBe(stored);
    const rotated = await putCanary(world, names[0]);
    tap.heal();
    await untilHolds(world, namespace, 'app', { ...held, one: rotated });
    await world.waitReady(namespace, 'app', 'Synced');
  });
});

itLeaksNothing(() => world);
