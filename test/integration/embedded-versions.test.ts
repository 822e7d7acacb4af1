import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

let world: World;
let embedded: EmbeddedSupport;

beforeAll(async () => {
  // One that is killed leaves a lease behind, which another would wait for.
  world = await startWorld({ flags: ['--leader-election=false'] });
  embedded = await openEmbedded(world);
  await limits({ versions: 100 });
});
afterAll(async () => {
  await embedded?.close();
  await world?.stop();
});

async function limits(given: object): Promise<void> {
  await world.apply({
    kind: 'ClusterSecretManager',
    metadata: { name: 'default' },
    spec: { embedded: { limits: given } },
  });
}

/** A secret of its own in a namespace of its own. */
async function fresh(spec?: object): Promise<{ readonly namespace: string; readonly secret: string }> {
  const namespace = await world.namespace();
  return { namespace, secret: await embedded.secret(namespace, 'db.password', spec) };
}

async function accepted(namespace: string, secret: string): Promise<readonly number[]> {
  return ((await embedded.status(namespace, secret)).versions ?? []).map(({ version }) => version);
}

describe('a version that is put', () => {
  it('is latest, and older ones stay readable by their ids', async () => {
    const { namespace, secret } = await fresh();
    const values = [world.canary(), world.canary()];

    for (const [index, value] of values.entries()) {
      expect(await embedded.put(namespace, secret, index + 1, { value })).toMatchObject({ state: 'Accepted' });
    }

    expect(await embedded.status(namespace, secret)).toMatchObject({
      latest: 2,
      previous: 1,
      lastVersion: 2,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Available' }],
    });
    expect(await Promise.all([1, 2].map((version) => embedded.open(namespace, secret, version)))).toEqual(values);
  });

  it('by many at once gets a number of its own, and the highest is latest', async () => {
    const { namespace, secret } = await fresh();
    const values = Array.from({ length: 12 }, () => world.canary());

    const numbers = await Promise.all(values.map((value) => embedded.putNext(namespace, secret, value)));

    expect(numbers.toSorted((a, b) => a - b)).toEqual(values.map((_value, index) => index + 1));
    expect((await embedded.status(namespace, secret)).latest).toBe(12);
    const opened = await Promise.all(numbers.map((number) => embedded.open(namespace, secret, number)));
    expect(opened).toEqual(values);
  });

  it('in any order keeps its number: the highest is latest', async () => {
    const { namespace, secret } = await fresh();
    for (const version of [5, 2, 7, 3]) await embedded.put(namespace, secret, version, { value: world.canary() });
    expect(await embedded.status(namespace, secret)).toMatchObject({ latest: 7, previous: 5, lastVersion: 7 });
  });

  it('before its secret waits for it', async () => {
    const namespace = await world.namespace();
    const value = world.canary();
    // Bound neither to a cluster nor to an object, as what stands in git is.
    await embedded.create(namespace, 'late', 1, { value, place: { uid: '', cluster: '' }, git: true });
    await eventually('it waits', async () => {
      expect(await embedded.versionStatus(namespace, 'late', 1)).toMatchObject({ reason: 'SecretMissing' });
    });

    await embedded.secret(namespace, 'late', { sealing: 'Portable' });

    expect(await embedded.verdict(namespace, 'late', 1)).toMatchObject({ state: 'Accepted' });
  });

  it('is told in events and in the status, by whom and when', async () => {
    const { namespace, secret } = await fresh();
    await embedded.put(namespace, secret, 1, { value: world.canary() });
    expect((await embedded.status(namespace, secret)).audit).toMatchObject([
      { action: 'put', user: 'admin', version: 1, result: 'Allowed' },
    ]);
    await eventually('there is an event', async () => {
      const events = await world.kubectl('get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].message}');
      expect(events).toContain('version 1 is accepted');
    });
  });
});

describe('security rule 18: a sealed value that is used again', () => {
  it.each([
    ['for another version', (secret: string) => ({ secret, version: 2 })],
    ['for another secret', () => ({ secret: 'other', version: 1 })],
  ])('%s is refused', async (_what, where) => {
    const { namespace, secret } = await fresh();
    await embedded.secret(namespace, 'other');
    const sealed = [await embedded.seal(namespace, secret, 1, { value: world.canary() })];
    await embedded.put(namespace, secret, 1, { sealed });

    const target = where(secret);
    const verdict = await embedded.put(namespace, target.secret, target.version, { sealed });

    expect(verdict).toMatchObject({ state: 'Rejected', reason: 'WrongPlace' });
    expect(await embedded.versionStatus(namespace, target.secret, target.version)).toBeUndefined();
  });

  it('in another namespace is refused', async () => {
    const [here, there] = [await fresh(), await fresh()];
    const sealed = [await embedded.seal(here.namespace, here.secret, 1, { value: world.canary() })];
    expect(await embedded.put(there.namespace, there.secret, 1, { sealed })).toMatchObject({ reason: 'WrongPlace' });
  });

  it('after its secret was deleted and made again is refused', async () => {
    const { namespace, secret } = await fresh();
    const sealed = [await embedded.seal(namespace, secret, 1, { value: world.canary() })];
    await world.kubectl('delete', 'vsec', secret, '-n', namespace);
    await embedded.secret(namespace, 'db.password');
    expect(await embedded.put(namespace, secret, 1, { sealed })).toMatchObject({ reason: 'WrongPlace' });
  });

  it('with a number that was destroyed is refused, though the bytes are the same', async () => {
    const { namespace, secret } = await fresh();
    const sealed = [await embedded.seal(namespace, secret, 2, { value: world.canary() })];
    await embedded.put(namespace, secret, 1, { value: world.canary() });
    await embedded.put(namespace, secret, 2, { sealed });

    await embedded.destroy(namespace, secret, 2);
    await eventually('it is noted', async () =>
      expect(await embedded.status(namespace, secret)).toMatchObject({ latest: 1, gone: '2', lastVersion: 2 }),
    );

    expect(await embedded.put(namespace, secret, 2, { sealed })).toMatchObject({ reason: 'VersionReused' });
    expect(await embedded.putNext(namespace, secret, world.canary())).toBe(3);
  });
});

describe('a rollback', () => {
  it('is a new version with the old value, which outlives the old one', async () => {
    const { namespace, secret } = await fresh();
    const [old, bad] = [world.canary(), world.canary()];
    await embedded.put(namespace, secret, 1, { value: old });
    await embedded.put(namespace, secret, 2, { value: bad });

    expect(await embedded.put(namespace, secret, 3, { from: 1 })).toMatchObject({ state: 'Accepted' });
    await embedded.destroy(namespace, secret, 1);

    expect(await embedded.status(namespace, secret)).toMatchObject({ latest: 3 });
    expect(await embedded.open(namespace, secret, 3)).toBe(old);
  });

  it('to what is disabled is refused', async () => {
    const { namespace, secret } = await fresh();
    await embedded.put(namespace, secret, 1, { value: world.canary() });
    await embedded.put(namespace, secret, 2, { value: world.canary() });
    await world.api.patch('VersionedSecret', { namespace, name: secret }, { spec: { disabledVersions: [1] } });
    expect(await embedded.put(namespace, secret, 3, { from: 1 })).toMatchObject({ reason: 'SourceMissing' });
  });
});

describe('a version that is disabled', () => {
  it('is not previous any more, until it is enabled again', async () => {
    const { namespace, secret } = await fresh();
    for (const version of [1, 2, 3]) await embedded.put(namespace, secret, version, { value: world.canary() });
    const previousIs = (previous: number): Promise<void> =>
      eventually(`previous is ${previous}`, async () => {
        expect(await embedded.status(namespace, secret)).toMatchObject({ latest: 3, previous });
      });

    const where = { namespace, name: secret };
    await world.api.patch('VersionedSecret', where, { spec: { disabledVersions: [2] } });
    await previousIs(1);
    await world.api.patch('VersionedSecret', where, { spec: { disabledVersions: null } });
    await previousIs(2);

    const actions = (await embedded.status(namespace, secret)).audit?.map(({ action }) => action);
    expect(actions).toEqual(['enable', 'disable', 'put', 'put', 'put']);
  });
});

describe('a type', () => {
  it('refuses what does not fit, with the rule and the path, and what fits is taken', async () => {
    const { namespace, secret } = await fresh({ type: 'basic-auth' });
    const value = world.canary();
    const verdict = await embedded.put(namespace, secret, 1, { value: JSON.stringify({ username: value }) });
    expect(verdict).toMatchObject({ state: 'Rejected', reason: 'InvalidValue' });
    expect(verdict.message).toContain('password');
    expect((await embedded.status(namespace, secret)).latest).toBeUndefined();

    const good = JSON.stringify({ username: 'app', password: value });
    expect(await embedded.put(namespace, secret, 2, { value: good })).toMatchObject({ state: 'Accepted' });
  });

  it('that is not there yet is waited for', async () => {
    const { namespace, secret } = await fresh({ type: 'later' });
    await embedded.create(namespace, secret, 1, { value: world.canary() });
    await eventually('it waits', async () => {
      expect(await embedded.versionStatus(namespace, secret, 1)).toMatchObject({ reason: 'TypeMissing' });
    });
    const type = { kind: 'SecretType', metadata: { name: 'later' }, spec: { schema: { type: 'string' } } };
    await world.apply(type);
    expect(await embedded.verdict(namespace, secret, 1)).toMatchObject({ state: 'Accepted' });
  });
});

describe('limits', () => {
  it('are told with how to raise them, and what was beyond is taken then', async () => {
    const { namespace } = await fresh();
    await limits({ versions: 100, secrets: 1 });
    const beyond = await embedded.secret(namespace, 'z-second');
    await eventually('it says so', async () => {
      const { conditions } = await embedded.status(namespace, beyond);
      expect(conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'LimitExceeded' }]);
      expect(conditions?.[0]?.message).toContain('ClusterSecretManager default: embedded: {limits: {secrets: 2}}');
    });
    expect(await embedded.put(namespace, beyond, 1, { value: world.canary() })).toMatchObject({
      state: 'Rejected',
      reason: 'LimitExceeded',
    });

    await limits({ versions: 100 });
    await eventually('it is empty now', async () => {
      expect((await embedded.status(namespace, beyond)).conditions).toMatchObject([{ reason: 'Empty' }]);
    });
    expect(await embedded.putNext(namespace, beyond, world.canary())).toBe(2);
  });

  it('let old versions go that were put, and never those that git owns', async () => {
    const { namespace, secret } = await fresh();
    await embedded.put(namespace, secret, 1, { value: world.canary(), git: true });
    for (const version of [2, 3, 4]) await embedded.put(namespace, secret, version, { value: world.canary() });

    await limits({ versions: 2 });
    await eventually('old ones are gone', async () => {
      expect(await accepted(namespace, secret)).toEqual([4, 3, 1]);
      expect(await embedded.versionStatus(namespace, secret, 2)).toBeUndefined();
    });
    await limits({ versions: 100 });

    expect(await embedded.status(namespace, secret)).toMatchObject({ gone: '2' });
    expect(await embedded.put(namespace, secret, 2, { value: world.canary() })).toMatchObject({
      reason: 'VersionReused',
    });
  });
});

describe('a version that a reference holds', () => {
  it('is told with its users, and does not fall out of the history', async () => {
    const { namespace, secret } = await fresh();
    const old = world.canary();
    await embedded.put(namespace, secret, 1, { value: old });
    await embedded.put(namespace, secret, 2, { value: world.canary() });
    await world.reference(namespace, 'pinned', { data: { key: { secret: 'DB.Password', version: '1' } } });
    await world.waitReady(namespace, 'pinned', 'Synced');
    await eventually('its user is told', async () => {
      expect(await embedded.status(namespace, secret)).toMatchObject({
        users: 1,
        usedBy: [{ reference: 'pinned', versions: [1], pinned: true }],
      });
      expect(await embedded.versionStatus(namespace, secret, 1)).toMatchObject({ users: 1 });
    });

    await limits({ versions: 1 });
    await embedded.put(namespace, secret, 3, { value: world.canary() });
    await eventually('the others are gone', async () => expect(await accepted(namespace, secret)).toEqual([3, 1]));
    await limits({ versions: 100 });

    expect(await world.secretData(namespace, 'pinned')).toEqual({ key: old });
    await expect(embedded.destroy(namespace, secret, 1)).rejects.toThrow('is used by 1 reference');
  });
});

describe('a secret that is deleted', () => {
  it('takes its versions along', async () => {
    const { namespace, secret } = await fresh();
    for (const version of [1, 2]) await embedded.put(namespace, secret, version, { value: world.canary() });
    await world.api.delete('VersionedSecret', { namespace, name: secret });
    await eventually('they are gone', async () => expect(await world.api.list('SecretVersion', namespace)).toEqual([]));
  });
});

describe('S11: an operator that is killed at any moment', () => {
  it('loses nothing that was acknowledged, and takes what was put meanwhile', async () => {
    const { namespace, secret } = await fresh();
    const values = new Map<number, string>();
    const finished = new AbortController();
    const putter = async (): Promise<void> => {
      while (values.size < 30) {
        const value = world.canary();
        values.set(await embedded.putNext(namespace, secret, value), value);
      }
    };
    const killer = async (): Promise<void> => {
      for (let kills = 0; kills < 5 && !finished.signal.aborted; kills += 1) {
        const size = values.size + Math.ceil(Math.random() * 4);
        await eventually('a few more were put', () => {
          if (values.size < size && !finished.signal.aborted) throw new Error(`only ${values.size}`);
        });
        await world.operator().stop('SIGKILL');
        await world.startOperator();
      }
    };

    await Promise.all([Promise.all([putter(), putter(), putter()]).finally(() => finished.abort()), killer()]);

    const known = await accepted(namespace, secret);
    expect([...values.keys()].filter((version) => !known.includes(version))).toEqual([]);
    const opened = await Promise.all([...values.keys()].map((version) => embedded.open(namespace, secret, version)));
    expect(opened).toEqual([...values.values()]);
    const { latest, lastVersion, gone } = await embedded.status(namespace, secret);
    expect([latest, lastVersion, gone]).toEqual([Math.max(...known), Math.max(...known), undefined]);
  }, 240_000);
});

itLeaksNothing(() => world);
