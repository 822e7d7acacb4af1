import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { oneTimeKey } from '../../src/managers/embedded/sealing/one-time.ts';
import { eventually } from '../operator/eventually.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { type Asker, openReveals, type Reveals } from './reveals-support.ts';
import { newCanary, startWorld, type World } from './world.ts';
import { itLeaksNothing, scanForCanaries } from './world-scan.ts';

const root = join(import.meta.dirname, '..', '..');
let world: World;
let embedded: EmbeddedSupport;
let reveals: Reveals;
let ada: Asker;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  embedded = await openEmbedded(world);
  reveals = await openReveals(world);
  ({ namespace } = reveals);
  ada = await reveals.asker('ada', ['swapped', 'counted', 'exported']);
});
afterAll(async () => {
  await embedded?.close();
  await reveals?.close();
  await world?.stop();
});

const objectSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ sealed: z.array(z.object({ key: z.string(), data: z.string() })).optional() }),
});
const rangeSchema = z.object({ kvs: z.array(z.object({ value: z.string() })).length(1) });

/** What etcd has of a SecretVersion, past the API server. */
async function stored(
  name: string,
): Promise<{ read(): Promise<z.infer<typeof objectSchema>>; write(body: object): Promise<void> }> {
  const key = Buffer.from(`/registry/keyferry.io/secretversions/${namespace}/${name}`).toString('base64');
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${world.cluster.etcdUrl}/v3/kv/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return answer.json();
  };
  return {
    read: async () => {
      const [found] = rangeSchema.parse(await post('range', { key })).kvs;
      return objectSchema.parse(JSON.parse(Buffer.from(found?.value ?? '', 'base64').toString()));
    },
    write: async (body) => {
      await post('put', { key, value: Buffer.from(JSON.stringify(body)).toString('base64') });
    },
  };
}

/** Asks for a version until the answer is this one, and gives its words. */
async function revealed(secret: string, version: number, reason: string): Promise<string> {
  const { recipient } = await oneTimeKey();
  return eventually(`a reveal of ${secret} is ${reason}`, async () => {
    const status = await ada.settled(await ada.ask(secret, recipient, { version }));
    if (status.reason !== reason) throw new Error(`it is ${status.reason}: ${status.message}`);
    return status.message ?? '';
  });
}

describe('security rule 4: a version in the name of somebody who may not put', () => {
  test('is not accepted while the policy is away, nor once it is back', async () => {
    const secret = await embedded.secret(namespace, 'forged');
    const sealed = [await embedded.seal(namespace, secret, 1, { value: world.canary() })];
    await world.kubectl('delete', 'validatingadmissionpolicybinding', 'keyferry-secret-versions');
    const body = {
      kind: 'SecretVersion',
      metadata: { name: 'forged-1', namespace },
      spec: { secret, version: 1, sealed, createdBy: 'mallory', createdByGroups: ['nobody'] },
    };
    await eventually('the API server lets the name through', () => world.api.create(body));

    await eventually('something was said of it', async () => {
      const { rejected: [refusal] = [] } = await embedded.status(namespace, secret);
      const { reason } = (await embedded.versionStatus(namespace, secret, 1)) ?? refusal ?? {};
      expect(reason).toMatch(/PolicyMissing|NotAllowed/);
    });
    await world.kubectl('apply', '--server-side', '-f', join(root, 'policies', 'secret-versions.yaml'));

    await eventually('it is refused for good', async () => {
      expect((await embedded.status(namespace, secret)).rejected).toMatchObject([{ version: 1 }]);
    });
    expect((await embedded.status(namespace, secret)).latest).toBeUndefined();
    const other = await embedded.secret(namespace, 'honest');
    const taken = await eventually('versions are taken again', () =>
      embedded.putNext(namespace, other, world.canary()),
    );
    expect(taken).toBeGreaterThan(0);
  });
});

describe('security rule 5: a version that is refused', () => {
  test('is removed with its bytes, and leaves its number behind, which never comes back', async () => {
    const secret = await embedded.secret(namespace, 'refused');
    await embedded.put(namespace, secret, 1, { value: world.canary() });
    const wrong = [await embedded.seal(namespace, secret, 9, { value: world.canary() })];

    const verdict = await embedded.put(namespace, secret, 2, { sealed: wrong });

    expect(verdict).toMatchObject({ state: 'Rejected', reason: 'WrongPlace' });
    expect(await embedded.versionStatus(namespace, secret, 2)).toBeUndefined();
    expect(await embedded.status(namespace, secret)).toMatchObject({ latest: 1, gone: '2', lastVersion: 2 });
    const right = await embedded.put(namespace, secret, 2, { value: world.canary() });
    expect(right).toMatchObject({ state: 'Rejected', reason: 'VersionReused' });
  });

  test('for its size does not tell its size', async () => {
    const secret = await embedded.secret(namespace, 'large');
    const { message } = await embedded.put(namespace, secret, 1, { value: 'x'.repeat(65_537 + 321) });
    expect(message).toMatch(/65536/);
    expect(message).not.toMatch(/65858/);
  });
});

describe('security rule 18: who can write to etcd', () => {
  test('gets no other bytes taken for an accepted version, not even those of another version', async () => {
    const secret = await embedded.secret(namespace, 'swapped');
    for (const version of [1, 2]) await embedded.put(namespace, secret, version, { value: world.canary() });
    const [one, two] = await Promise.all([stored('swapped-1'), stored('swapped-2')]);
    const [first, second] = await Promise.all([one.read(), two.read()]);
    await revealed('swapped', 1, 'Answered');

    await one.write({ ...first, spec: { ...first.spec, sealed: second.spec.sealed } });

    const message = await revealed('swapped', 1, 'ManagerUnavailable');
    expect(message).toContain('not what was accepted');
    await revealed('swapped', 2, 'Answered');
  });
});

describe('security rule 18: all objects of a namespace, from a backup', () => {
  test('open nothing where they are put back into another namespace, or for a secret that was made again', async () => {
    const secret = await embedded.secret(namespace, 'exported');
    const sealed = [await embedded.seal(namespace, secret, 1, { value: world.canary() })];
    await embedded.put(namespace, secret, 1, { sealed });
    const elsewhere = await world.namespace();
    await embedded.secret(elsewhere, 'exported');

    const moved = await embedded.put(elsewhere, secret, 1, { sealed, git: true });
    await world.kubectl('delete', 'vsec', secret, '-n', namespace);
    await embedded.secret(namespace, 'exported');
    await eventually('the name is free', () => embedded.create(namespace, secret, 1, { sealed, git: true }));
    const again = await embedded.verdict(namespace, secret, 1);

    expect([moved.reason, again.reason]).toEqual(['WrongPlace', 'WrongPlace']);
  });

  test('are no portable ones for a bound secret, nor bound ones for a portable', async () => {
    const bound = await embedded.secret(namespace, 'bound');
    const portable = await embedded.secret(namespace, 'portable', { sealing: 'Portable' });
    const nowhere = { cluster: '', uid: '' };
    const verdicts = [
      await embedded.put(namespace, bound, 1, { value: world.canary(), place: nowhere, git: true }),
      await embedded.put(namespace, portable, 1, { value: world.canary(), git: true }),
      await embedded.put(namespace, portable, 2, { value: world.canary(), place: nowhere, git: true }),
    ];
    expect(verdicts.map(({ reason }) => reason)).toEqual(['WrongPlace', 'WrongPlace', 'Accepted']);
  });
});

describe('security rule 19: a failure', () => {
  test('is for good: what git owns is refused once, and not tried again after a restart', async () => {
    const secret = await embedded.secret(namespace, 'stanzas');
    const { key, data } = await embedded.seal(namespace, secret, 1, { value: world.canary() });
    const [version = '', ...rest] = Buffer.from(data, 'base64').toString('latin1').split('\n');
    const many = [version, ...Array.from({ length: 300 }, () => rest.slice(0, 2)).flat(), ...rest.slice(2)];
    const sealed = [{ key, data: Buffer.from(many.join('\n'), 'latin1').toString('base64') }];
    const verdict = await embedded.put(namespace, secret, 1, { sealed, git: true });
    expect(verdict).toMatchObject({ state: 'Rejected', reason: 'InvalidSeal' });
    expect(verdict.message).toContain('exactly one X25519 key');
    const rejections = async (): Promise<number> =>
      (await world.logs()).split('\n').filter((line) => line.includes('"reject"') && line.includes('"stanzas"')).length;
    expect(await rejections()).toBe(1);

    await world.operator().stop('SIGKILL');
    await world.startOperator();
    await embedded.secret(namespace, 'after');
    await embedded.put(namespace, 'after', 1, { value: world.canary() });

    expect(await rejections()).toBe(1);
  });
});

describe('security rule 21: metrics and events', () => {
  test('have no names of secrets, whatever was done with them', async () => {
    const name = 'quite-a-telling-name';
    const secret = await embedded.secret(namespace, name);
    await embedded.put(namespace, secret, 1, { value: world.canary() });
    await embedded.put(namespace, secret, 1, {}).catch(() => undefined);
    await embedded.put(namespace, secret, 2, { value: world.canary(), place: { version: 5 } });

    const metrics = await world.operator().metrics();
    const events = await world.kubectl('get', 'events', '-A', '-o', 'json');
    const { items } = z
      .object({ items: z.array(z.looseObject({ involvedObject: z.object({ name: z.string() }) })) })
      .parse(JSON.parse(events));
    const others = items.filter(({ involvedObject }) => !involvedObject.name.startsWith(name));

    expect(metrics).toContain('keyferry_embedded_versions_total');
    expect(metrics).not.toContain(name);
    expect(JSON.stringify(others)).not.toContain(name);
  });
});

test('security rule 15: a type that has changed says nothing of the values that are there', async () => {
  for (const [name, maxLength] of [
    ['short-text', 3],
    ['long-text', 100],
  ] as const) {
    await world.apply({ kind: 'SecretType', metadata: { name }, spec: { schema: { type: 'string', maxLength } } });
  }
  const secret = await embedded.secret(namespace, 'typed', { type: 'long-text' });
  await embedded.put(namespace, secret, 1, { value: world.canary() });
  const patch = JSON.stringify({ spec: { type: 'short-text' } });
  await world.kubectl('patch', 'vsec', secret, '-n', namespace, '--type=merge', `--patch=${patch}`);

  const refused = await embedded.put(namespace, secret, 2, { value: world.canary() });
  const repeated = await embedded.put(namespace, secret, 3, { from: 1 });

  expect(refused).toMatchObject({ state: 'Rejected', reason: 'InvalidValue' });
  expect(repeated.state).toBe('Accepted');
  const change = JSON.stringify({ spec: { schema: { type: 'string', maxLength: 50 } } });
  const changed = world.kubectl('patch', 'secrettype', 'long-text', '--type=merge', `--patch=${change}`);
  await expect(changed).rejects.toThrow('cannot change');
});

test('security rule 6: the owner can take an old version away from everybody, though it is in use', async () => {
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec: { embedded: {} } });
  const secret = await embedded.secret(namespace, 'revoked');
  for (const version of [1, 2]) await embedded.put(namespace, secret, version, { value: world.canary() });
  await world.reference(namespace, 'revoked', { data: { old: { secret: 'revoked', version: '1' } } });
  await world.waitReady(namespace, 'revoked', 'Synced');

  await eventually('it is noted who uses it', async () =>
    expect(await embedded.versionStatus(namespace, secret, 1)).toMatchObject({ users: 1 }),
  );
  const destroyed = world.kubectl('delete', 'secretversion', 'revoked-1', '-n', namespace);
  await expect(destroyed).rejects.toThrow('is used by 1 reference');
  const patch = JSON.stringify({ spec: { disabledVersions: [1] } });
  await world.kubectl('patch', 'vsec', secret, '-n', namespace, '--type=merge', `--patch=${patch}`);

  await expect(world.waitReady(namespace, 'revoked', 'VersionDisabled')).resolves.toMatchObject({ status: 'False' });
});

test('security rule 7: the page on permissions says whose the permissions of a service account are', async () => {
  const page = await readFile(join(root, 'docs', 'permissions.md'), 'utf8');
  expect(page.replaceAll(/\s+/g, ' ')).toContain(
    "A service account's permissions are those of everyone who can create pods or tokens in its namespace",
  );
});

test('S9: what was deleted since is found in etcd, by the kind of object that it was in', async () => {
  const leaked = newCanary();
  await world.api.create({ kind: 'ConfigMap', metadata: { name: 'leak', namespace }, data: { text: `x${leaked}` } });
  await world.api.delete('ConfigMap', { namespace, name: 'leak' });

  const scan = scanForCanaries(world, [leaked]);

  await expect(scan).rejects.toThrow(`etcd: /registry/configmaps/${namespace}/leak has canary 0, as it is`);
});

itLeaksNothing(() => world);
