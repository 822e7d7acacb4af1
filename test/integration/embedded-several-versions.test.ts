import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

let world: World;
let embedded: EmbeddedSupport;

beforeAll(async () => {
  world = await startWorld();
  embedded = await openEmbedded(world);
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec: { embedded: {} } });
});
afterAll(async () => {
  await embedded?.close();
  await world?.stop();
});

/** A namespace with the secret Signing.Key, of a version for each value that is asked for; gives the values. */
async function signing(versions: number): Promise<{ readonly namespace: string; readonly values: readonly string[] }> {
  const namespace = await world.namespace();
  await embedded.secret(namespace, 'Signing.Key');
  const values: string[] = [];
  for (let each = 0; each < versions; each += 1) values.push(await put(namespace));
  return { namespace, values };
}

async function put(namespace: string): Promise<string> {
  const value = world.canary();
  await embedded.putNext(namespace, 'signing.key', value);
  return value;
}

/** A reference to the newest versions, in another spelling of the name. */
async function reference(namespace: string, last: number): Promise<void> {
  await world.reference(namespace, 'keys', { dataFrom: [{ versions: { secret: 'signing.key', last } }] });
}

async function holds(namespace: string, data: object): Promise<void> {
  await eventually('the Secret holds what it should', async () => {
    expect(await world.secretData(namespace, 'keys')).toEqual(data);
  });
}

async function disable(namespace: string, ...versions: readonly number[]): Promise<void> {
  const where = { namespace, name: 'signing.key' };
  await world.api.patch('VersionedSecret', where, { spec: { disabledVersions: versions } });
}

describe('the newest versions of a secret in the cluster', () => {
  it('are a key each, by their ids, and move on with every rotation', async () => {
    const { namespace, values } = await signing(3);
    await reference(namespace, 2);
    await world.waitReady(namespace, 'keys', 'Synced');
    expect(await world.secretData(namespace, 'keys')).toEqual({ 2: values[1], 3: values[2] });

    const fourth = await put(namespace);

    await holds(namespace, { 3: values[2], 4: fourth });
    await eventually('the status says which', async () => {
      const { versions = [] } = await world.status(namespace, 'keys');
      expect(versions.map(({ secret, version, keys }) => ({ secret, version, keys }))).toEqual([
        { secret: 'signing.key', version: '4', keys: ['4'] },
        { secret: 'signing.key', version: '3', keys: ['3'] },
      ]);
    });
  });

  it('are fewer than asked for while there are fewer', async () => {
    const { namespace, values } = await signing(1);
    await reference(namespace, 3);
    await world.waitReady(namespace, 'keys', 'Synced');
    expect(await world.secretData(namespace, 'keys')).toEqual({ 1: values[0] });

    const second = await put(namespace);

    await holds(namespace, { 1: values[0], 2: second });
  });

  it('leave out one that is disabled, take an older one instead, and get it back', async () => {
    const { namespace, values } = await signing(3);
    await reference(namespace, 2);
    await holds(namespace, { 2: values[1], 3: values[2] });

    await disable(namespace, 2);
    await holds(namespace, { 1: values[0], 3: values[2] });
    await disable(namespace);

    await expect(holds(namespace, { 2: values[1], 3: values[2] })).resolves.toBeUndefined();
  });

  it('are held: none of them can be destroyed, one that has moved out can', async () => {
    const { namespace, values } = await signing(3);
    await reference(namespace, 2);
    await holds(namespace, { 2: values[1], 3: values[2] });
    await eventually('it is known who uses it', async () => {
      const told = [1, 2, 3].map((version) => embedded.versionStatus(namespace, 'signing.key', version));
      expect((await Promise.all(told)).map((status) => status?.users ?? 0)).toEqual([0, 1, 1]);
    });

    await expect(embedded.destroy(namespace, 'signing.key', 2)).rejects.toThrow('is used by 1 reference');
    await embedded.destroy(namespace, 'signing.key', 1);

    expect(await world.secretData(namespace, 'keys')).toEqual({ 2: values[1], 3: values[2] });
  });

  it('are waited for where there is none yet', async () => {
    const { namespace } = await signing(0);
    await reference(namespace, 2);
    const { message } = await world.waitReady(namespace, 'keys', 'NoVersion');
    expect(message).toContain(`keyferry put "Signing.Key" -n ${namespace}`);

    const first = await put(namespace);

    await world.waitReady(namespace, 'keys', 'Synced');
    await holds(namespace, { 1: first });
  });
});

itLeaksNothing(() => world);
