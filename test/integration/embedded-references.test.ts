import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { secretObjectName } from '../../src/api/v1/embedded-name.ts';
import { conditionSchema } from '../../src/api/v1/conditions.ts';
import { annotations, sealingKeysSecret } from '../../src/api/v1/names.ts';
import { eventually } from '../operator/eventually.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

let world: World;
let embedded: EmbeddedSupport;
/** Nothing here is seen by polling. */
const pollInterval = '1h';
const shared = 'org-secrets';

beforeAll(async () => {
  world = await startWorld();
  embedded = await openEmbedded(world);
  await world.namespace({ name: shared });
  await clusterManager('default', { embedded: {} });
});
afterAll(async () => {
  await embedded?.close();
  await world?.stop();
});

async function clusterManager(name: string, spec: object): Promise<void> {
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name }, spec: { pollInterval, ...spec } });
}

/** A secret with a version for each value that is asked for; gives its values. */
async function put(namespace: string, name: string, versions = 1): Promise<readonly string[]> {
  await world.apply({
    kind: 'VersionedSecret',
    metadata: { name: secretObjectName(name), namespace },
    spec: { name },
  });
  const values = Array.from({ length: versions }, () => world.canary());
  for (const value of values) await embedded.putNext(namespace, secretObjectName(name), value);
  return values;
}

async function holds(namespace: string, name: string, data: object): Promise<void> {
  await eventually(`Secret ${name} holds what it should`, async () => {
    expect(await world.secretData(namespace, name)).toEqual(data);
  });
}

describe('a reference to a secret of its own namespace', () => {
  it('gets latest, a version before it and a pinned one, in any spelling of case', async () => {
    const namespace = await world.namespace();
    const [first, second, third] = await put(namespace, 'DATABASE_PASSWORD', 3);

    await world.reference(namespace, 'db', {
      data: {
        latest: { secret: 'database_password' },
        again: { secret: 'DATABASE_PASSWORD' },
        previous: { secret: 'Database_Password', stage: 'previous' },
        pinned: { secret: 'DATABASE_PASSWORD', version: '1' },
      },
    });
    await world.waitReady(namespace, 'db', 'Synced');

    const data = { latest: third, again: third, previous: second, pinned: first };
    expect(await world.secretData(namespace, 'db')).toEqual(data);
    const { versions } = await world.status(namespace, 'db');
    expect(versions?.map(({ secret, version }) => `${secret}@${version}`).toSorted()).toEqual([
      'DATABASE_PASSWORD@1',
      'DATABASE_PASSWORD@3',
      'Database_Password@2',
      'database_password@3',
    ]);
  });

  it('does not see one of another namespace, and is told how to create its own', async () => {
    const [here, there] = [await world.namespace(), await world.namespace()];
    await put(there, 'api.key');
    await world.reference(here, 'api', { data: { key: { secret: 'API.key' } } });
    const { message } = await world.waitReady(here, 'api', 'SecretNotFound');
    expect(message).toBe(
      `key key, secret API.key (ClusterSecretManager default): there is no secret of this name in namespace ${here}. ` +
        `To create it: keyferry put "API.key" --create -n ${here}`,
    );

    const [value] = await put(here, 'api.key');

    await world.waitReady(here, 'api', 'Synced');
    expect(await world.secretData(here, 'api')).toEqual({ key: value });
  });

  it('waits for the first version of an empty secret, and says which command puts it', async () => {
    const namespace = await world.namespace();
    await put(namespace, 'Db Password', 0);
    await world.reference(namespace, 'db', { data: { key: { secret: 'db password' } } });
    const { message } = await world.waitReady(namespace, 'db', 'NoVersion');
    expect(message).toContain(`keyferry put "Db Password" -n ${namespace}`);

    const [value] = await put(namespace, 'Db Password');

    await world.waitReady(namespace, 'db', 'Synced');
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('to a version that is not there yet gets it once it is put, and is told meanwhile which there are', async () => {
    const namespace = await world.namespace();
    await put(namespace, 'db', 2);
    await world.reference(namespace, 'db', { data: { key: { secret: 'db', version: '3' } } });
    const { message } = await world.waitReady(namespace, 'db', 'VersionNotFound');
    expect(message).toContain('it has no version 3. There are 2, 1');

    const [value] = await put(namespace, 'db');

    await world.waitReady(namespace, 'db', 'Synced');
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('to a version that is disabled keeps its Secret, and goes on when it is enabled', async () => {
    const namespace = await world.namespace();
    const [value] = await put(namespace, 'db', 2);
    await world.reference(namespace, 'db', { data: { key: { secret: 'db', version: '1' } } });
    await world.waitReady(namespace, 'db', 'Synced');
    const disable = (disabledVersions: readonly number[]) =>
      world.api.patch('VersionedSecret', { namespace, name: 'db' }, { spec: { disabledVersions } });

    await disable([1]);
    const { message } = await world.waitReady(namespace, 'db', 'VersionDisabled');
    const kept = await world.secretData(namespace, 'db');
    await disable([]);

    expect(message).toContain(`keyferry enable "db" 1 -n ${namespace}`);
    expect(kept).toEqual({ key: value });
    await world.waitReady(namespace, 'db', 'Synced');
  });

  it('to a version of a secret that was created again keeps what it holds, and says so', async () => {
    const namespace = await world.namespace();
    const [value] = await put(namespace, 'db');
    await world.reference(namespace, 'db', { data: { key: { secret: 'db', version: '1' } } });
    await world.waitReady(namespace, 'db', 'Synced');
    const where = { namespace, name: 'db' };

    await world.api.patch('VersionedSecret', where, { spec: { deletionProtection: false } });
    await world.api.delete('VersionedSecret', where);
    await world.waitReady(namespace, 'db', 'SecretNotFound');
    await eventually('its versions are gone', async () => {
      expect(await embedded.versionStatus(namespace, 'db', 1)).toBeUndefined();
    });
    await put(namespace, 'db');

    await eventually('it is told that the version is another one now', async () => {
      const { reason, message } = await world.ready(namespace, 'db');
      expect(reason).toBe('VersionNotFound');
      expect(message).toContain('the secret was created again');
    });
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('goes through a namespaced manager as well', async () => {
    const namespace = await world.namespace();
    const [value] = await put(namespace, 'db');
    await world.apply({ kind: 'SecretManager', metadata: { name: 'own', namespace }, spec: { embedded: {} } });
    const managerRef = { kind: 'SecretManager', name: 'own' };
    await world.reference(namespace, 'db', { managerRef, data: { key: { secret: 'DB' } } });
    await world.waitReady(namespace, 'db', 'Synced');
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });
});

describe('a put', () => {
  it('reaches the Secret without any polling, and rolls out what uses it', async () => {
    const namespace = await world.namespace();
    const [before] = await put(namespace, 'db');
    await world.reference(namespace, 'db', { data: { key: { secret: 'db' } }, rollout: { settle: '1s' } });
    await world.apply(deployment(namespace));
    await eventually('the ledger knows its consumer', async () => {
      expect((await world.status(namespace, 'db')).consumers).toMatchObject([{ name: 'api', state: 'Complete' }]);
    });
    expect(await world.secretData(namespace, 'db')).toEqual({ key: before });
    expect(await markerOf(namespace)).toBeUndefined();

    const [after] = await put(namespace, 'db');

    await holds(namespace, 'db', { key: after });
    const content = await eventually('the consumer is marked', async () => {
      const { target } = await world.status(namespace, 'db');
      const marker = await markerOf(namespace);
      expect(marker).toBe(target?.content);
      return marker;
    });
    expect(content).toMatch(/^\d+:/u);
  });

  it('of many versions at once ends with the last one', async () => {
    const namespace = await world.namespace();
    await put(namespace, 'db');
    await world.reference(namespace, 'db', { data: { key: { secret: 'db' } } });
    await world.waitReady(namespace, 'db', 'Synced');
    const values = await put(namespace, 'db', 5);
    await holds(namespace, 'db', { key: values.at(-1) });
    await eventually('the status says so', async () => {
      expect((await world.status(namespace, 'db')).summary).toBe('db@6');
    });
  });
});

const deploymentSchema = z.object({
  spec: z.object({
    template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }) }),
  }),
});

function deployment(namespace: string) {
  const labels = { app: 'api' };
  const containers = [{ name: 'api', image: 'none', envFrom: [{ secretRef: { name: 'db' } }] }];
  return {
    kind: 'Deployment',
    metadata: { name: 'api', namespace },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

async function markerOf(namespace: string): Promise<string | undefined> {
  const { spec } = deploymentSchema.parse(await world.api.get('Deployment', { namespace, name: 'api' }));
  return spec.template.metadata.annotations[`${annotations.marker}db`];
}

describe('a find', () => {
  it('names keys as people wrote the secrets, by prefix in any case and by labels exactly, and follows both', async () => {
    const namespace = await world.namespace();
    const make = async (name: string, team: string): Promise<string> => {
      const metadata = { name: secretObjectName(name), namespace, labels: { team } };
      await world.apply({ kind: 'VersionedSecret', metadata, spec: { name } });
      const value = world.canary();
      await embedded.putNext(namespace, secretObjectName(name), value);
      return value;
    };
    const password = await make('App/DATABASE_PASSWORD', 'shop');
    await make('app/other', 'shopping');
    await make('elsewhere', 'shop');
    await world.reference(namespace, 'app', {
      dataFrom: [{ find: { prefix: 'APP/', tags: { team: 'shop' } }, keys: { stripPrefix: 'app/' } }],
    });
    await holds(namespace, 'app', { DATABASE_PASSWORD: password });

    const feature = await make('app/feature', 'shop');
    await holds(namespace, 'app', { DATABASE_PASSWORD: password, feature });

    const labels = { team: 'other' };
    await world.api.patch(
      'VersionedSecret',
      { namespace, name: secretObjectName('app/feature') },
      { metadata: { labels } },
    );
    await holds(namespace, 'app', { DATABASE_PASSWORD: password });
    expect(await world.ready(namespace, 'app')).toMatchObject({ reason: 'Synced' });
  });

  it('is not held up by a secret that has no value yet', async () => {
    const namespace = await world.namespace();
    const [value] = await put(namespace, 'app.one');
    await put(namespace, 'app.two', 0);
    await world.reference(namespace, 'app', { dataFrom: [{ find: { prefix: 'app.' } }] });
    await world.waitReady(namespace, 'app', 'Synced');
    expect(await world.secretData(namespace, 'app')).toEqual({ 'app.one': value });

    const [two] = await put(namespace, 'app.two');

    await holds(namespace, 'app', { 'app.one': value, 'app.two': two });
  });
});

describe('a manager that keeps the secrets of all in one namespace', () => {
  it.each(['Retain', 'Delete'] as const)(
    'grants what its rules say in any case, and takes it back: %s',
    async (onRevoked) => {
      const namespace = await world.namespace();
      const name = `org-${onRevoked.toLowerCase()}`;
      const [value] = await put(shared, `${name}/SMTP-Password`);
      await put(shared, `${name}/other`);
      const grant = (secrets: string): Promise<void> =>
        clusterManager(name, {
          embedded: { namespace: shared },
          access: [{ namespaces: { names: [namespace] }, secrets: [secrets] }],
          onRevoked,
        });
      const managerRef = { name };
      await grant(`${name}/smtp-*`);
      await world.reference(namespace, 'smtp', { managerRef, data: { key: { secret: `${name}/SMTP-PASSWORD` } } });
      await world.reference(namespace, 'other', { managerRef, data: { key: { secret: `${name}/Other` } } });

      await world.waitReady(namespace, 'smtp', 'Synced');
      const { message } = await world.waitReady(namespace, 'other', 'AccessDenied');
      expect(await world.secretData(namespace, 'smtp')).toEqual({ key: value });
      expect(message).toContain(`secrets: ["${name}/Other"]`);

      await grant(`${name}/nothing`);
      await world.waitReady(namespace, 'smtp', 'AccessDenied');
      const left = await world.api.find('Secret', { namespace, name: 'smtp' });
      expect(left === undefined ? 'Delete' : 'Retain').toBe(onRevoked);
    },
  );
});

const managerSchema = z.object({
  status: z.looseObject({ publicKey: z.string().optional(), conditions: z.array(conditionSchema) }),
});
const keysSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  data: z.record(z.string(), z.string()),
});

/** Waits until the default manager is ready, or is not, and gives the condition. */
async function managerReady(status: 'True' | 'False'): Promise<unknown> {
  return eventually(`the manager is ${status}`, async () => {
    const { status: read } = managerSchema.parse(await world.api.get('ClusterSecretManager', { name: 'default' }));
    expect(read.conditions).toMatchObject([{ type: 'Ready', status }]);
    return read.conditions[0];
  });
}

describe('what is told', () => {
  it('of a manager is the key that values are sealed to', async () => {
    await managerReady('True');
    const { status } = managerSchema.parse(await world.api.get('ClusterSecretManager', { name: 'default' }));
    expect(status).toMatchObject({
      backend: 'embedded',
      publicKey: expect.stringMatching(/^age1/u),
      cluster: expect.stringMatching(/^[-0-9a-f]{36}$/u),
      identity: `secrets kept in this cluster, sealed to ${status.publicKey}`,
    });
  });

  it('of a manager without its key is what to do, and references keep what they have', async () => {
    const namespace = await world.namespace();
    const [value] = await put(namespace, 'db');
    await world.reference(namespace, 'db', { data: { key: { secret: 'db' } } });
    await world.waitReady(namespace, 'db', 'Synced');
    const where = { namespace: 'keyferry', name: sealingKeysSecret };
    const { data, metadata } = keysSchema.parse(await world.api.get('Secret', where));

    await world.api.delete('Secret', where);
    const missing = await managerReady('False');
    await world.apply({ kind: 'Secret', metadata: { ...where, annotations: metadata.annotations }, data });
    await managerReady('True');

    expect(missing).toMatchObject({
      reason: 'SealingKeyMissing',
      message: expect.stringContaining('keyferry keys restore'),
    });
    expect(await world.ready(namespace, 'db')).toMatchObject({ status: 'True', reason: 'Synced' });
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('of a secret is which reference got which version, and holds it', async () => {
    const namespace = await world.namespace();
    await put(namespace, 'db', 2);
    await world.reference(namespace, 'api', { data: { key: { secret: 'DB' }, old: { secret: 'db', version: '1' } } });
    await world.waitReady(namespace, 'api', 'Synced');
    await eventually('the secret knows its user', async () => {
      const { usedBy, audit = [] } = await embedded.status(namespace, 'db');
      expect(usedBy).toMatchObject([{ reference: 'api', versions: [1, 2], pinned: true }]);
      const notes = audit.filter((record) => record.for === `SecretReference ${namespace}/api`);
      expect(notes.map(({ action, version }) => `${action} ${version}`).toSorted()).toEqual([
        'access 1',
        'access 2',
        'sync 1',
        'sync 2',
      ]);
    });
  });
});

itLeaksNothing(() => world);
