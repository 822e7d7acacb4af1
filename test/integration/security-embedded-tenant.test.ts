import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretVersions } from '../../src/api/v1/resources.ts';
import { eventually } from '../operator/eventually.ts';
import { type Kubectl, kubectlIn, refusal } from './api-objects.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { never } from './kube-connection.ts';
import { secretVersion, tryPatch, userWith, versionedSecret } from './policies-embedded-support.ts';
import { accepted } from './policies-support.ts';
import { operatorUser, readAudit, startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const root = join(import.meta.dirname, '..', '..');
let world: World;
let embedded: EmbeddedSupport;
let namespace: string;
let admin: Kubectl;
/** May put every secret, and nothing else. */
let putter: Kubectl;
/** May destroy every secret, and nothing else. */
let destroyer: Kubectl;

beforeAll(async () => {
  world = await startWorld();
  embedded = await openEmbedded(world);
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec: { embedded: {} } });
  namespace = await world.namespace();
  admin = kubectlIn(world.cluster, namespace);
  putter = await userWith(world.cluster, namespace, 'putter', { put: [] });
  destroyer = await userWith(world.cluster, namespace, 'destroyer', { destroy: [] });
  await accepted(() => putter(['create', '--dry-run=server', '-f', '-'], byPutter('db', 1)));
});
afterAll(async () => {
  await embedded?.close();
  await world?.stop();
});

const create = ['create', '-f', '-'];
const foreign = 'example.com/hold';

/** A version that repeats another, which takes no sealing. */
function byPutter(secret: string, version: number, metadata: object = {}): object {
  const from = version === 1 ? {} : { sealed: undefined, from: { version: 1 } };
  return secretVersion(secret, { version, createdBy: 'putter', ...from }, metadata);
}

async function fresh(name: string, spec?: object): Promise<string> {
  const secret = await embedded.secret(namespace, name, spec);
  await embedded.put(namespace, secret, 1, { value: world.canary() });
  return secret;
}

async function reads(name: string, secret: string): Promise<void> {
  await world.reference(namespace, name, { data: { password: { secret } } });
  await world.waitReady(namespace, name, 'Synced');
  await eventually('it counts as in use', async () => {
    expect((await embedded.versionStatus(namespace, secret, 1))?.users).toBe(1);
  });
}

describe('who may put a secret', () => {
  test('security rule 5: uses up no numbers with the first version, be it refused or not', async () => {
    const secret = await embedded.secret(namespace, 'numbers');

    await putter(create, byPutter(secret, 999_999_999));

    expect(await embedded.verdict(namespace, secret, 999_999_999)).toMatchObject({ reason: 'NumberTooHigh' });
    expect((await embedded.status(namespace, secret)).lastVersion).toBeUndefined();
    expect(await embedded.put(namespace, secret, 1, { value: world.canary() })).toMatchObject({ state: 'Accepted' });
  });

  test('security rule 5: keeps no refused version by a finalizer', async () => {
    const secret = await fresh('held');
    const says = 'a finalizer keeps a version that is deleted, and putter may not destroy secret held';
    const finalizers = [foreign];

    expect(await refusal(putter(create, byPutter(secret, 2, { finalizers })))).toContain(says);
    expect(await refusal(tryPatch(putter, 'sver', `${secret}-1`, { metadata: { finalizers } }))).toContain(says);
    expect(await refusal(tryPatch(destroyer, 'sver', `${secret}-1`, { metadata: { finalizers } }))).toBeUndefined();
  });

  test('security rule 5: does not fill the cluster with versions that wait for a secret that is not there', async () => {
    const versions = Array.from({ length: 206 }, (_none, index) => byPutter('ghost', index + 2));

    await putter(create, { apiVersion: 'v1', kind: 'List', items: versions });

    await eventually('the youngest are gone', async () => {
      const all = await embedded.client.list(secretVersions, { namespace }, { signal: never });
      expect(all.filter(({ metadata }) => metadata.name.startsWith('ghost-'))).toHaveLength(200);
    });
    expect(await embedded.versionStatus(namespace, 'ghost', 2)).toMatchObject({ reason: 'SecretMissing' });
  });

  test('security rule 5: disables none that would be the latest then, before it is there', async () => {
    const secret = await fresh('ahead');
    const disable = (number: number): object => ({ spec: { disabledVersions: [number] } });

    expect(await refusal(tryPatch(putter, 'vsec', secret, disable(2)))).toContain(
      'version 2 of secret ahead is not there yet, and would be disabled as the latest',
    );
    expect(await refusal(putter(create, versionedSecret('ahead-from-git', { disabledVersions: [1] })))).toBeUndefined();
    await embedded.put(namespace, secret, 2, { value: world.canary() });
    expect(await refusal(tryPatch(putter, 'vsec', secret, disable(1)))).toBeUndefined();
  });
});

describe('who may destroy a secret', () => {
  test('security rule 6: does not have the garbage collector destroy a version that references hold', async () => {
    const secret = await fresh('owned');
    await reads('owned', secret);
    const gone = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: '11111111-1111-4111-8111-111111111111' };

    await destroyer(['patch', 'sver', `${secret}-1`, '--type=merge', '-p', owners(gone)]);

    await eventually('the garbage collector was refused', async () => {
      const tried = (await readAudit(world.cluster)).find(
        ({ verb, objectRef, user }) =>
          verb === 'delete' &&
          objectRef.name === `${secret}-1` &&
          objectRef.namespace === namespace &&
          user.username.includes('garbage-collector'),
      );
      expect(tried?.responseStatus?.code).toBe(403);
    });
    expect(await embedded.versionStatus(namespace, secret, 1)).toMatchObject({ state: 'Accepted' });
  });

  test('security rule 5: has destroyed a version also where a finalizer keeps its object', async () => {
    const secret = await fresh('final');
    const second = world.canary();
    await embedded.put(namespace, secret, 2, { value: second });
    await destroyer([
      'patch',
      'sver',
      `${secret}-1`,
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: { finalizers: [foreign] } }),
    ]);

    await destroyer(['delete', 'sver', `${secret}-1`, '--wait=false']);

    await eventually('it is noted as gone', async () => {
      expect(await embedded.status(namespace, secret)).toMatchObject({ gone: '1', latest: 2 });
    });
    await world.reference(namespace, 'final', { data: { password: { secret, version: '1' } } });
    await world.waitReady(namespace, 'final', 'VersionNotFound');
  });

  test.each(['background', 'foreground', 'orphan'])(
    'security rule 5: leaves no version of a deleted secret behind (--cascade=%s)',
    async (cascade) => {
      const secret = await fresh(`deleted-${cascade}`);

      await destroyer(['delete', 'vsec', secret, `--cascade=${cascade}`]);

      await eventually('its version is gone', async () => {
        expect(await embedded.versionStatus(namespace, secret, 1)).toBeUndefined();
      });
    },
  );
});

function owners(...ownerReferences: readonly object[]): string {
  return JSON.stringify({ metadata: { ownerReferences } });
}

describe('security rule 6: a namespace that reads the secrets of another', () => {
  let shared: string;

  beforeAll(async () => {
    shared = await world.namespace();
    const access = [{ namespaces: { names: [namespace] }, secrets: ['granted'] }];
    const spec = { embedded: { namespace: shared }, access };
    await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'shared' }, spec });
    for (const name of ['granted', 'hidden']) {
      await embedded.secret(shared, name);
      await embedded.put(shared, name, 1, { value: world.canary() });
    }
    for (const secret of ['granted', 'hidden']) {
      await world.reference(namespace, `a-tenants-${secret}`, {
        managerRef: { name: 'shared' },
        data: { password: { secret, version: '1' } },
      });
    }
    await world.waitReady(namespace, 'a-tenants-granted', 'Synced');
    await world.waitReady(namespace, 'a-tenants-hidden', 'AccessDenied');
  });

  test('holds up nobody there by naming what it is not granted', async () => {
    await eventually('the one that it has is in use', async () => {
      expect((await embedded.status(shared, 'granted')).users).toBe(1);
    });

    expect((await embedded.status(shared, 'hidden')).users).toBe(0);
    expect(await refusal(world.kubectl('delete', 'vsec', 'hidden', '-n', shared))).toBeUndefined();
  });

  test('is a number there, and no name: the history does not tell it either', async () => {
    await eventually('its reading stands in the history', async () => {
      const { audit = [] } = await embedded.status(shared, 'granted');
      expect(audit.map(({ action }) => action)).toContain('sync');
    });

    const text = await world.kubectl('get', 'vsec,sver,events', '-n', shared, '-o', 'yaml');
    expect(text).toContain('SecretReference of another namespace');
    expect(text).not.toContain('a-tenants-');
    expect(await world.logs()).toContain(`SecretReference ${namespace}/a-tenants-granted`);
  });

  test('is read for by whoever the operator is to the API server', async () => {
    const { audit = [] } = await embedded.status(shared, 'granted');

    expect(audit.find(({ action }) => action === 'sync')?.user).toBe(operatorUser);
  });
});

describe('security rule 4: a version in the name of somebody else', () => {
  const binding = ['validatingadmissionpolicybinding', 'keyferry-secret-versions'];
  const forged = { createdBy: 'admin', createdByGroups: ['system:masters'] };

  test('is refused from the moment on when a policy is gone, and is not taken when it is back', async () => {
    const secret = await fresh('forged');
    const sealed = [await embedded.seal(namespace, secret, 2, { value: world.canary() })];
    await admin(['delete', ...binding]);

    await eventually('the API server lets it through', () =>
      destroyer(create, secretVersion(secret, { version: 2, sealed, ...forged })),
    );
    const verdict = await embedded.verdict(namespace, secret, 2);

    expect(verdict).toMatchObject({ state: 'Rejected', reason: 'PolicyMissing' });
    expect(verdict.message).toContain('Then put it again');
    await admin(['apply', '--server-side', '-f', join(root, 'policies', 'secret-versions.yaml')]);
    await eventually('versions are taken again', async () => {
      const { lastVersion = 0 } = await embedded.status(namespace, secret);
      expect(await embedded.put(namespace, secret, lastVersion + 1, { value: world.canary() })).toMatchObject({
        state: 'Accepted',
      });
    });
    expect((await embedded.status(namespace, secret)).versions?.map(({ version }) => version)).not.toContain(2);
  });
});

itLeaksNothing(() => world);
