import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forwardTo, ok } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `find-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
});
afterAll(() => world?.stop());

async function sync(name: string, ...dataFrom: readonly object[]): Promise<Readonly<Record<string, string>>> {
  await world.reference(namespace, name, { dataFrom });
  await world.waitReady(namespace, name, 'Synced');
  return world.secretData(namespace, name);
}

async function complaint(name: string, reason: string, ...dataFrom: readonly object[]): Promise<string> {
  await world.reference(namespace, name, { dataFrom });
  return (await world.waitReady(namespace, name, reason)).message;
}

/** Puts a canary into each secret and gives them by name. */
async function put(...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const values = names.map((name) => [name, world.canary()] as const);
  for (const [name, value] of values) await world.aws.put(name, value);
  return Object.fromEntries(values);
}

const becomes = (name: string, data: object): Promise<void> =>
  eventually(`the Secret ${name} follows`, async () => {
    expect(await world.secretData(namespace, name)).toEqual(data);
  });

describe('extract', () => {
  it('makes a key of each property, and follows them as they come and go', async () => {
    const secret = `${run}/config`;
    const [user, host, port] = [world.canary(), world.canary(), world.canary()];
    await world.aws.put(secret, JSON.stringify({ user, host, limit: 5, nested: { port } }));

    expect(await sync('extract', { extract: { secret } })).toEqual({
      user,
      host,
      limit: '5',
      nested: JSON.stringify({ port }),
    });
    await world.aws.put(secret, JSON.stringify({ user, port }));
    await becomes('extract', { user, port });
  });

  it('goes into a property, takes a version, and shapes the keys', async () => {
    const secret = `${run}/nested`;
    const value = world.canary();
    const version = await world.aws.put(secret, JSON.stringify({ db: { 'db.user-name': value } }));
    await world.aws.put(secret, '{}');

    const data = await sync('nested', {
      extract: { secret, version, property: 'db' },
      keys: { style: 'EnvVar', stripPrefix: 'db.' },
    });

    expect(data).toEqual({ USER_NAME: value });
  });

  it.each([
    ['text', 'hello there', 'InvalidValue', 'JSON'],
    ['a list', '["a"]', 'InvalidValue', 'object'],
    ['a number', '5', 'InvalidValue', 'object'],
  ])('of %s is refused', async (what, value, reason, says) => {
    const secret = `${run}/no-object-${what.replace(' ', '-')}`;
    await world.aws.put(secret, value);

    const message = await complaint(`no-object-${what.replace(' ', '-')}`, reason, { extract: { secret } });

    expect(message).toContain(`dataFrom[0], secret ${secret} (ClusterSecretManager default)`);
    expect(message).toContain(says);
  });

  it('S9: does not tell the names of properties, which stand inside a value', async () => {
    const secret = `${run}/names`;
    const [one, two] = [world.canary(), world.canary()];
    await world.aws.put(secret, JSON.stringify({ [one]: 'a', [two]: 'b' }));
    expect(Object.keys(await sync('names', { extract: { secret } })).toSorted()).toEqual([one, two].toSorted());
    await world.aws.put(secret, JSON.stringify({ [`${one} with a space`]: 'a' }));

    const { message } = await world.waitReady(namespace, 'names', 'InvalidValue');

    expect(message).not.toContain(one);
    expect((await world.status(namespace, 'names')).versions).toMatchObject([{ secret, keys: [] }]);
    // The names are keys of the Secret: they stand in its managedFields, as those of every Secret do.
    await world.api.delete('SecretReference', { namespace, name: 'names' });
    await eventually('the Secret is gone', async () =>
      expect(await world.api.find('Secret', { namespace, name: 'names' })).toBeUndefined(),
    );
  });
});

describe('find', () => {
  it('makes a key of each secret with the prefix, and follows them as they come and go', async () => {
    const prefix = `${run}.flags.`;
    const found = await put(`${prefix}a`, `${prefix}b`);
    await put(`${run}.flag`);

    expect(await sync('find', { find: { prefix } })).toEqual(found);

    const more = await put(`${prefix}c`);
    await becomes('find', { ...found, ...more });
    await world.aws.delete(`${prefix}a`);
    await becomes('find', { [`${prefix}b`]: found[`${prefix}b`], ...more });
    await eventually('the status follows', async () => {
      const { versions } = await world.status(namespace, 'find');
      expect(versions?.map(({ secret }) => secret).toSorted()).toEqual([`${prefix}b`, `${prefix}c`]);
    });
  });

  it('follows the values of what it found', async () => {
    const prefix = `${run}.rotated.`;
    await put(`${prefix}a`);
    await sync('find-rotated', { find: { prefix } });

    const after = await put(`${prefix}a`);

    await expect(becomes('find-rotated', after)).resolves.toBeUndefined();
  });

  it('compares tags exactly and in pairs', async () => {
    const prefix = `${run}.tagged.`;
    const value = world.canary();
    await world.aws.create(`${prefix}both`, value, { team: run, tier: 'one' });
    await world.aws.create(`${prefix}one`, world.canary(), { team: run });
    await world.aws.create(`${prefix}longer`, world.canary(), { team: `${run}-eu`, tier: 'one' });
    await world.aws.create(`${prefix}swapped`, world.canary(), { team: 'one', tier: run });
    const [outside] = [world.canary()];
    await world.aws.create(`${run}-outside`, outside, { team: run, tier: 'one' });

    const tags = { team: run, tier: 'one' };

    expect(await sync('tagged', { find: { prefix, tags } })).toEqual({ [`${prefix}both`]: value });
    expect(await sync('tagged-anywhere', { find: { tags } })).toEqual({
      [`${prefix}both`]: value,
      [`${run}-outside`]: outside,
    });
  });

  it('shapes names into keys', async () => {
    const found = await put(`${run}/shape/feature-db.password`, `${run}/shape/2nd`);

    const data = await sync('shape', {
      find: { prefix: `${run}/shape/` },
      keys: { style: 'EnvVar', stripPrefix: `${run}/shape/` },
    });

    expect(data).toEqual({
      FEATURE_DB_PASSWORD: found[`${run}/shape/feature-db.password`],
      _2ND: found[`${run}/shape/2nd`],
    });
  });

  it('refuses names that no key can have, and says what to do', async () => {
    await put(`${run}/slash/a`);

    const message = await complaint('slash', 'InvalidValue', { find: { prefix: `${run}/slash/` } });

    expect(message).toContain(`secret ${run}/slash/a`);
    expect(message).toContain('keys.style: EnvVar');
    expect(message).toContain('keys.stripPrefix');
  });

  it('refuses two names that become one key', async () => {
    await put(`${run}/collide/a-b`, `${run}/collide/a.b`);

    const message = await complaint('collide', 'InvalidValue', {
      find: { prefix: `${run}/collide/` },
      keys: { style: 'EnvVar', stripPrefix: `${run}/collide/` },
    });

    expect(message).toContain('key A_B comes from two places');
    expect(message).toContain(`${run}/collide/a-b`);
    expect(message).toContain(`${run}/collide/a.b`);
  });

  it('lets go of what is scheduled for deletion, and takes it up again', async () => {
    const prefix = `${run}.scheduled.`;
    const found = await put(`${prefix}a`, `${prefix}b`);
    await sync('scheduled', { find: { prefix } });

    await world.aws.scheduleDeletion(`${prefix}a`);
    await becomes('scheduled', { [`${prefix}b`]: found[`${prefix}b`] });
    await world.aws.restore(`${prefix}a`);

    await expect(becomes('scheduled', found)).resolves.toBeUndefined();
  });

  it('S2: keeps a key that is not listed while its secret still answers', async () => {
    const prefix = `${run}.lagging.`;
    const found = await put(`${prefix}a`, `${prefix}b`);
    await sync('lagging', { find: { prefix } });
    const forward = forwardTo(world.motoUrl);
    world.backend.handle((call) => (call.action === 'ListSecrets' ? ok({ SecretList: [] }) : forward(call)));

    const looks = (): number =>
      world.backend.calls.filter((call) => call.action === 'DescribeSecret' && call.body.includes(prefix)).length;
    await eventually('both were looked at, twice', () => expect(looks()).toBeGreaterThanOrEqual(4));
    const kept = await world.secretData(namespace, 'lagging');
    world.healBackend();

    expect(kept).toEqual(found);
    await world.waitReady(namespace, 'lagging', 'Synced');
  });

  it('that finds nothing says so, and S2: keeps what the Secret holds', async () => {
    const prefix = `${run}.lonely.`;
    const message = await complaint('lonely', 'SecretNotFound', { find: { prefix } });
    expect(message).toBe(
      `find finds no secret that namespace ${namespace} may read: correct prefix and tags, create the secret, or ask for an access rule`,
    );
    expect(await world.api.find('Secret', { namespace, name: 'lonely' })).toBeUndefined();

    const found = await put(`${prefix}a`);
    await world.waitReady(namespace, 'lonely', 'Synced');
    await world.aws.delete(`${prefix}a`);
    await world.waitReady(namespace, 'lonely', 'SecretNotFound');

    expect(await world.secretData(namespace, 'lonely')).toEqual(found);
  });

  it('is without the prefix of its manager', async () => {
    await world.manager({ name: 'prefixed', aws: { prefix: `${run}-prod/` } });
    const { [`${run}-prod/app.a`]: value } = await put(`${run}-prod/app.a`, `${run}-prod/web.b`, 'app.a');
    const managerRef = { kind: 'ClusterSecretManager', name: 'prefixed' };

    expect(await sync('prefixed', { find: { prefix: 'app.' }, managerRef })).toEqual({ 'app.a': value });
    expect((await world.status(namespace, 'prefixed')).versions).toMatchObject([{ secret: 'app.a' }]);
  });
});

describe('several sources', () => {
  it('stand side by side with data', async () => {
    const [own, extracted] = [world.canary(), world.canary()];
    const found = await put(`${run}.side.a`);
    await world.aws.put(`${run}/side/own`, own);
    await world.aws.put(`${run}/side/object`, JSON.stringify({ extracted }));

    await world.reference(namespace, 'side', {
      data: { own: { secret: `${run}/side/own` } },
      dataFrom: [{ extract: { secret: `${run}/side/object` } }, { find: { prefix: `${run}.side.` } }],
    });
    await world.waitReady(namespace, 'side', 'Synced');

    expect(await world.secretData(namespace, 'side')).toEqual({ own, extracted, ...found });
  });

  it('that bring the same key are refused', async () => {
    await world.aws.put(`${run}/twice/own`, world.canary());
    await world.aws.put(`${run}/twice/object`, JSON.stringify({ key: world.canary() }));
    await world.reference(namespace, 'twice', {
      data: { key: { secret: `${run}/twice/own` } },
      dataFrom: [{ extract: { secret: `${run}/twice/object` } }],
    });

    const { message } = await world.waitReady(namespace, 'twice', 'InvalidValue');

    expect(message).toContain('comes from two places');
    expect(message).toContain(`${run}/twice/own`);
    expect(message).toContain(`${run}/twice/object`);
  });

  it('security rule 17: refuse a property that means something to JavaScript', async () => {
    await world.aws.put(`${run}/proto`, `{"__proto__": "${world.canary()}"}`);

    const message = await complaint('proto', 'InvalidValue', { extract: { secret: `${run}/proto` } });

    expect(message).toContain(`secret ${run}/proto`);
  });
});

describe('find by an operator that was away', () => {
  it('lets go of what is gone, and takes up what came', async () => {
    const prefix = `${run}.away.`;
    const found = await put(`${prefix}a`, `${prefix}b`);
    await sync('away', { find: { prefix } });

    await world.operator().stop();
    await world.aws.delete(`${prefix}a`);
    const more = await put(`${prefix}c`);
    await world.startOperator();

    await expect(becomes('away', { [`${prefix}b`]: found[`${prefix}b`], ...more })).resolves.toBeUndefined();
  });
});

itLeaksNothing(() => world);
