import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { operatorIdentity } from '../operator/install.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `managers-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
});
afterAll(() => world?.stop());

async function put(name: string): Promise<string> {
  const value = world.canary();
  await world.aws.put(`${run}/${name}`, value);
  return value;
}

const credentials = (name: string, inNamespace: string, accessKeyId: string): Promise<void> =>
  world.apply({
    kind: 'Secret',
    metadata: { name, namespace: inNamespace },
    stringData: { 'access-key-id': accessKeyId, 'secret-access-key': world.canary() },
  });

const namespacedManager = (name: string, secretName: string, inNamespace = namespace): Promise<void> =>
  world.apply({
    kind: 'SecretManager',
    metadata: { name, namespace: inNamespace },
    spec: { aws: { region: 'eu-west-1', auth: { secretRef: { name: secretName } } }, pollInterval: '1s' },
  });

const managerSchema = z.object({
  status: z.looseObject({
    identity: z.string().optional(),
    backend: z.string().optional(),
    secretsInUse: z.int().optional(),
    referencesInUse: z.int().optional(),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() })),
  }),
});

async function managerStatus(kind: string, name: string): Promise<z.infer<typeof managerSchema>['status']> {
  const where = kind === 'SecretManager' ? { namespace, name } : { name };
  return managerSchema.parse(await world.api.get(kind, where)).status;
}

/** The access key ids that asked for a secret, oldest first, each once. */
function askersOf(secret: string): readonly string[] {
  const calls = world.backend.calls.filter((call) => call.body.includes(secret));
  const ids = calls.map((call) => /Credential=([^/]+)\//.exec(call.headers['authorization'] ?? '')?.[1] ?? '');
  return [...new Set(ids)];
}

describe('one reference', () => {
  it('may mix managers, key by key', async () => {
    await world.manager({ name: 'other', aws: { prefix: `${run}/other-` } });
    const [own, theirs, found] = [await put('own'), await put('other-key'), await put('other-find.a')];
    const managerRef = { kind: 'ClusterSecretManager', name: 'other' };

    await world.reference(namespace, 'mixed', {
      data: { own: { secret: `${run}/own` }, theirs: { secret: 'key', managerRef } },
      dataFrom: [{ find: { prefix: 'find.' }, managerRef }],
    });
    await world.waitReady(namespace, 'mixed', 'Synced');

    expect(await world.secretData(namespace, 'mixed')).toEqual({ own, theirs, 'find.a': found });
    const held = (await world.status(namespace, 'mixed')).versions?.map(
      ({ manager, secret }) => `${manager} ${secret}`,
    );
    expect(held?.toSorted()).toEqual([
      `ClusterSecretManager/default ${run}/own`,
      'ClusterSecretManager/other find.a',
      'ClusterSecretManager/other key',
    ]);
  });

  it('may ask a manager for one key that does not exist, and says so', async () => {
    await put('half');
    const managerRef = { kind: 'SecretManager', name: 'half' };
    await world.reference(namespace, 'half', {
      data: { a: { secret: `${run}/half` }, b: { secret: 'x', managerRef } },
    });

    const { message } = await world.waitReady(namespace, 'half', 'ManagerNotFound');

    expect(message).toContain('there is no SecretManager half');
    expect(await world.api.find('Secret', { namespace, name: 'half' })).toBeUndefined();
  });
});

describe('a manager that does not exist', () => {
  it.each(['ClusterSecretManager', 'SecretManager'])('%s heals its references when it is made', async (kind) => {
    const name = `late-${kind.toLowerCase()}`;
    const value = await put(name);
    await credentials(`${name}-keys`, namespace, 'LATE');
    await world.reference(namespace, name, { managerRef: { kind, name }, data: { key: { secret: `${run}/${name}` } } });
    const { message } = await world.waitReady(namespace, name, 'ManagerNotFound');
    expect(message).toBe(`there is no ${kind} ${name}: create it, or correct managerRef`);

    await (kind === 'SecretManager' ? namespacedManager(name, `${name}-keys`) : world.manager({ name }));
    await world.waitReady(namespace, name, 'Synced');

    expect(await world.secretData(namespace, name)).toEqual({ key: value });
  });

  it('any more leaves the Secrets as they are', async () => {
    await world.manager({ name: 'leaving' });
    const value = await put('leaving');
    const spec = { managerRef: { name: 'leaving' }, data: { key: { secret: `${run}/leaving` } } };
    await world.reference(namespace, 'leaving', spec);
    await world.waitReady(namespace, 'leaving', 'Synced');

    await world.api.delete('ClusterSecretManager', { name: 'leaving' });
    await world.waitReady(namespace, 'leaving', 'ManagerNotFound');

    expect(await world.secretData(namespace, 'leaving')).toEqual({ key: value });
    expect((await world.status(namespace, 'leaving')).versions).toMatchObject([{ secret: `${run}/leaving` }]);
  });
});

describe('a SecretManager', () => {
  it('takes its credentials from a Secret of its namespace, which may come later, change and go', async () => {
    const value = await put('creds');
    await namespacedManager('own', 'aws-keys');
    const managerRef = { kind: 'SecretManager', name: 'own' };
    await world.reference(namespace, 'creds', { managerRef, data: { key: { secret: `${run}/creds` } } });
    const missing = await world.waitReady(namespace, 'creds', 'ManagerUnavailable');
    expect(missing.message).toContain('SecretManager own');
    expect(missing.message).toContain(`there is no Secret aws-keys in namespace ${namespace}`);
    // The reference may say so before the manager's own status is written.
    await eventually('the manager says so too', async () =>
      expect((await managerStatus('SecretManager', 'own')).conditions).toMatchObject([
        { type: 'Ready', status: 'False' },
      ]),
    );

    await credentials('aws-keys', namespace, 'FIRST');
    await world.waitReady(namespace, 'creds', 'Synced');
    expect(await world.secretData(namespace, 'creds')).toEqual({ key: value });
    expect(askersOf(`${run}/creds`)).toEqual(['FIRST']);

    await credentials('aws-keys', namespace, 'SECOND');
    await eventually('the new keys ask', () => expect(askersOf(`${run}/creds`)).toEqual(['FIRST', 'SECOND']));
    await eventually('the manager is ready again', async () =>
      expect((await managerStatus('SecretManager', 'own')).conditions).toMatchObject([{ status: 'True' }]),
    );

    await world.api.delete('Secret', { namespace, name: 'aws-keys' });
    await eventually('the manager says what is missing', async () => {
      const { conditions } = await managerStatus('SecretManager', 'own');
      expect(conditions).toMatchObject([{ status: 'False', reason: 'InvalidSettings' }]);
      expect(conditions[0]?.message).toContain('there is no Secret aws-keys');
    });
    expect(await world.secretData(namespace, 'creds')).toEqual({ key: value });
  });

  it('says which key its credentials lack', async () => {
    await world.apply({
      kind: 'Secret',
      metadata: { name: 'half-keys', namespace },
      stringData: { 'access-key-id': 'HALF' },
    });
    await namespacedManager('half-keys', 'half-keys');
    const managerRef = { kind: 'SecretManager', name: 'half-keys' };
    await world.reference(namespace, 'half-keys', { managerRef, data: { key: { secret: 'x' } } });

    const { message } = await world.waitReady(namespace, 'half-keys', 'ManagerUnavailable');

    expect(message).toContain('Secret half-keys');
    expect(message).toContain('has no key secret-access-key');
  });

  it('S8: is not the manager of the same name in another namespace', async () => {
    const [here, there] = [namespace, await world.namespace()];
    await put('tenant');
    for (const [tenant, id] of [
      [here, 'HERE'],
      [there, 'THERE'],
    ] as const) {
      await credentials('tenant-keys', tenant, id);
      await namespacedManager('tenant', 'tenant-keys', tenant);
    }
    const managerRef = { kind: 'SecretManager', name: 'tenant' };
    await world.reference(there, 'tenant', { managerRef, data: { key: { secret: `${run}/tenant` } } });
    await world.waitReady(there, 'tenant', 'Synced');

    expect(askersOf(`${run}/tenant`)).toEqual(['THERE']);
  });

  it('shares no value with a manager that has other credentials', async () => {
    await credentials('poor-keys', namespace, 'POOR');
    await namespacedManager('poor', 'poor-keys');
    await put('shared');
    const data = { key: { secret: `${run}/shared` } };
    await world.reference(namespace, 'rich', { data });
    await world.waitReady(namespace, 'rich', 'Synced');

    await world.reference(namespace, 'poor', { managerRef: { kind: 'SecretManager', name: 'poor' }, data });
    await world.waitReady(namespace, 'poor', 'Synced');

    expect(askersOf(`${run}/shared`)).toContain('POOR');
  });
});

describe('a ClusterSecretManager', () => {
  it("takes its credentials from a Secret of the operator's namespace, and of no other", async () => {
    const value = await put('cluster-creds');
    await credentials('cluster-keys', namespace, 'WRONG');
    await world.manager({ name: 'keys', aws: { auth: { secretRef: { name: 'cluster-keys' } } } });
    const spec = { managerRef: { name: 'keys' }, data: { key: { secret: `${run}/cluster-creds` } } };
    await world.reference(namespace, 'cluster-creds', spec);
    const { message } = await world.waitReady(namespace, 'cluster-creds', 'ManagerUnavailable');
    expect(message).toContain(`there is no Secret cluster-keys in namespace ${operatorIdentity.namespace}`);

    await credentials('cluster-keys', operatorIdentity.namespace, 'RIGHT');
    await world.waitReady(namespace, 'cluster-creds', 'Synced');

    expect(await world.secretData(namespace, 'cluster-creds')).toEqual({ key: value });
    expect(askersOf(`${run}/cluster-creds`)).toEqual(['RIGHT']);
  });

  it('has a status that says who it is, and how much it is used', async () => {
    await world.manager({ name: 'counted' });
    await put('counted-a');
    await put('counted-b');
    for (const name of ['counted-one', 'counted-two']) {
      await world.reference(namespace, name, {
        managerRef: { name: 'counted' },
        data: { a: { secret: `${run}/counted-a` }, b: { secret: `${run}/counted-b` } },
      });
      await world.waitReady(namespace, name, 'Synced');
    }

    await eventually('the status counts', async () => {
      const status = await managerStatus('ClusterSecretManager', 'counted');
      expect(status).toMatchObject({
        backend: 'aws',
        secretsInUse: 2,
        referencesInUse: 2,
        conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
      });
      expect(status.identity).toMatch(/^arn:aws:/);
    });
    const row = await world.kubectl('get', 'csmgr', 'counted', '--no-headers');
    expect(
      row
        .trim()
        .split(/\s{2,}/)
        .slice(0, 6),
    ).toEqual(['counted', 'aws', 'True', 'Ready', '2', '2']);
  });

  it('with another prefix reads other secrets at once', async () => {
    const [blue, green] = [await put('blue-key'), await put('green-key')];
    const spec = { managerRef: { name: 'stage' }, data: { key: { secret: 'key' } } };
    await world.manager({ name: 'stage', pollInterval: '1h', aws: { prefix: `${run}/blue-` } });
    await world.reference(namespace, 'stage', spec);
    await world.waitReady(namespace, 'stage', 'Synced');
    expect(await world.secretData(namespace, 'stage')).toEqual({ key: blue });

    await world.manager({ name: 'stage', pollInterval: '1h', aws: { prefix: `${run}/green-` } });

    await eventually('the Secret follows', async () =>
      expect(await world.secretData(namespace, 'stage')).toEqual({ key: green }),
    );
  });
});

itLeaksNothing(() => world);
