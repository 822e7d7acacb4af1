import { randomUUID } from 'node:crypto';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/v1/names.ts';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `versions-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  await world.manager({ name: 'slow', pollInterval: '1h' });
  namespace = await world.namespace();
});
afterAll(() => world?.stop());

async function synced(name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  await world.reference(namespace, name, spec);
  await world.waitReady(namespace, name, 'Synced');
}

/** Waits until the manager's poll has asked for a secret `times` more times: what it would have seen then, it has seen. */
async function polled(secret: string, times = 2): Promise<void> {
  const asked = (): number => world.backend.calls.filter((call) => call.body.includes(secret)).length;
  const before = asked();
  await eventually(`${secret} was asked for ${times} times`, () => {
    if (asked() < before + times) throw new Error(`${asked() - before} times`);
  });
}

const holds = (name: string, data: object): Promise<void> =>
  eventually(`the Secret ${name} follows`, async () => {
    expect(await world.secretData(namespace, name)).toEqual(data);
  });

const held = (name: string): ReturnType<World['status']> => world.status(namespace, name);

describe('a reference to the latest version', () => {
  it('follows a rotation within the poll interval, and says what the target holds', async () => {
    const secret = `${run}/rotated`;
    const [one, two] = [world.canary(), world.canary()];
    const first = await world.aws.put(secret, one);
    await synced('rotated', { data: { password: { secret } } });
    expect((await held('rotated')).versions).toMatchObject([
      { manager: 'ClusterSecretManager/default', secret, requested: 'latest', version: first, keys: ['password'] },
    ]);

    const second = await world.aws.put(secret, two);
    await holds('rotated', { password: two });

    const target = await world.api.get('Secret', { namespace, name: 'rotated' });
    expect(target.metadata.annotations[annotations.versions]).toBe(`${secret}@${second.slice(0, 8)}`);
    await eventually('the status says so', async () => {
      const { versions, summary } = await held('rotated');
      expect(versions).toMatchObject([{ secret, requested: 'latest', version: second }]);
      expect(summary).toBe(`${secret}@${second.slice(0, 8)}`);
    });
  });

  it('follows the label AWSCURRENT back to an older version', async () => {
    const secret = `${run}/back`;
    const [one, two] = [world.canary(), world.canary()];
    const first = await world.aws.put(secret, one);
    const second = await world.aws.put(secret, two);
    // By its stage: the test server goes on to give the newest version to those who name none.
    await synced('back', { data: { password: { secret, stage: 'AWSCURRENT' } } });
    await holds('back', { password: two });

    await world.aws.moveCurrent(secret, second, first);

    await expect(holds('back', { password: one })).resolves.toBeUndefined();
  });

  it('ends with the last of many rotations', async () => {
    const secret = `${run}/many`;
    const values = Array.from({ length: 10 }, () => world.canary());
    await world.aws.put(secret, world.canary());
    await synced('many', { data: { password: { secret } } });

    for (const value of values) await world.aws.update(secret, value);

    await expect(holds('many', { password: values.at(-1) })).resolves.toBeUndefined();
  });
});

describe('a reference to one version', () => {
  it('keeps it through rotations, beside latest and previous', async () => {
    const secret = `${run}/pinned`;
    const values = [world.canary(), world.canary(), world.canary()];
    const version = await world.aws.put(secret, values[0] ?? '');
    await world.aws.put(secret, values[1] ?? '');
    await synced('pinned', {
      data: { pinned: { secret, version }, latest: { secret }, previous: { secret, stage: 'AWSPREVIOUS' } },
    });
    await holds('pinned', { pinned: values[0], latest: values[1], previous: values[0] });

    await world.aws.put(secret, values[2] ?? '');

    await holds('pinned', { pinned: values[0], latest: values[2], previous: values[1] });
    const requested = (await held('pinned')).versions?.map((one) => [one.requested, one.keys]);
    expect(requested?.toSorted()).toEqual([
      ['latest', ['latest']],
      ['stage AWSPREVIOUS', ['previous']],
      [`version ${version}`, ['pinned']],
    ]);
  });

  it.each([
    ['version', { version: randomUUID() }, 'VersionNotFound', 'has no version'],
    ['stage', { stage: 'AWSNONE' }, 'VersionNotFound', 'has the stage AWSNONE'],
  ])('that does not exist by its %s says so', async (kind, selector, reason, says) => {
    const secret = `${run}/unknown`;
    await world.aws.put(secret, world.canary());
    const name = `unknown-${kind}`;
    await world.reference(namespace, name, { data: { key: { secret, ...selector } } });

    const { message } = await world.waitReady(namespace, name, reason);

    expect(message).toContain(`key key, secret ${secret} (ClusterSecretManager default)`);
    expect(message).toContain(says);
  });
});

/** Asks for a sync now, and waits until it was obeyed or refused. */
async function forceSync(name: string): Promise<void> {
  const annotation = randomUUID();
  const metadata = { annotations: { [annotations.sync]: annotation } };
  await world.api.patch('SecretReference', { namespace, name }, { metadata });
  await eventually('the sync was obeyed', async () => expect((await held(name)).lastSyncRequest).toBe(annotation));
}

describe('S4: a pinned version', () => {
  it('that vanishes leaves the Secret as it is, and says so', async () => {
    const secret = `${run}/vanishes`;
    const value = world.canary();
    const version = await world.aws.put(secret, value);
    await synced('vanishes', { data: { key: { secret, version } } });
    await world.aws.delete(secret);
    await world.aws.create(secret, world.canary());

    await forceSync('vanishes');

    const { message } = await world.waitReady(namespace, 'vanishes', 'VersionNotFound');
    expect(message).toContain(`secret ${secret} has no version ${version}`);
    expect(await world.secretData(namespace, 'vanishes')).toEqual({ key: value });
  });

  it('keeps its bytes when another version comes to have its id', async () => {
    const secret = `${run}/impostor`;
    const value = world.canary();
    const version = await world.aws.put(secret, value);
    await synced('impostor', { data: { key: { secret, version } } });
    await world.aws.delete(secret);
    const other = world.canary();
    await world.aws.create(secret, other, {}, version);

    await forceSync('impostor');

    const { message } = await world.waitReady(namespace, 'impostor', 'VersionNotFound');
    expect(message).toContain(`the secret was created again, and its version ${version} is not the one`);
    expect(await world.secretData(namespace, 'impostor')).toEqual({ key: value });

    await synced('impostor', { data: { key: { secret } } });
    await synced('impostor', { data: { key: { secret, version } } });
    await expect(holds('impostor', { key: other })).resolves.toBeUndefined();
  });
});

describe('a secret', () => {
  it('without a value yet is NoVersion, until somebody puts one', async () => {
    const secret = `${run}/void`;
    await world.aws.client.send(new CreateSecretCommand({ Name: secret }));
    await world.reference(namespace, 'void', { data: { key: { secret } } });
    const { message } = await world.waitReady(namespace, 'void', 'NoVersion');
    expect(message).toContain(`secret ${secret} has no current version yet: put a value`);
    const value = world.canary();

    await world.aws.put(secret, value);
    await world.waitReady(namespace, 'void', 'Synced');

    expect(await world.secretData(namespace, 'void')).toEqual({ key: value });
  });

  it('that is scheduled for deletion is VersionDisabled, and keeps its Secret', async () => {
    const secret = `${run}/leaving`;
    const value = world.canary();
    await world.aws.put(secret, value);
    await synced('leaving', { data: { key: { secret } } });

    await world.aws.scheduleDeletion(secret);
    const { message } = await world.waitReady(namespace, 'leaving', 'VersionDisabled');
    const kept = await world.secretData(namespace, 'leaving');
    await world.aws.restore(secret);

    expect(message).toContain('restore-secret');
    expect(kept).toEqual({ key: value });
    await world.waitReady(namespace, 'leaving', 'Synced');
  });

  it('that is deleted is SecretNotFound, and keeps its Secret', async () => {
    const secret = `${run}/gone`;
    const value = world.canary();
    await world.aws.put(secret, value);
    await synced('gone', { data: { key: { secret } } });

    await world.aws.delete(secret);
    await world.waitReady(namespace, 'gone', 'SecretNotFound');

    expect(await world.secretData(namespace, 'gone')).toEqual({ key: value });
    expect((await held('gone')).versions).toMatchObject([{ secret }]);
  });
});

describe('the last versions of a secret', () => {
  it('are a key each, and move on with every rotation', async () => {
    const secret = `${run}/signing.key`;
    const values = [world.canary(), world.canary(), world.canary(), world.canary()];
    const ids: string[] = [];
    for (const value of values.slice(0, 3)) ids.push(await world.aws.put(secret, value));
    const expected = (from: number): object =>
      Object.fromEntries(ids.slice(from).map((id, index) => [id, values[from + index]]));

    // AWS keeps no order of versions of the same second, so all that it still labels are asked for.
    await synced('signing', { dataFrom: [{ versions: { secret, last: 2 } }] });

    await holds('signing', expected(1));
    ids.push(await world.aws.put(secret, values[3] ?? ''));
    await expect(holds('signing', expected(2))).resolves.toBeUndefined();
  });
});

describe('a new version with the same bytes', () => {
  it('is said in the status and the annotation, and is no new content', async () => {
    const secret = `${run}/same`;
    const value = world.canary();
    await world.aws.put(secret, value);
    await synced('same', { data: { password: { secret } } });
    const before = await world.api.get('Secret', { namespace, name: 'same' });
    const { lastChangeTime } = await held('same');

    const second = await world.aws.put(secret, value);
    await eventually('the status follows', async () => {
      expect((await held('same')).versions).toMatchObject([{ version: second }]);
    });

    const after = await world.api.get('Secret', { namespace, name: 'same' });
    expect(after.metadata.annotations[annotations.versions]).toBe(`${secret}@${second.slice(0, 8)}`);
    expect(after.metadata.annotations[annotations.content]).toBe(before.metadata.annotations[annotations.content]);
    expect(after.metadata.annotations[annotations.previous]).toBe('');
    expect((await held('same')).lastChangeTime).toBe(lastChangeTime);
  });

  it('is told from one with other bytes, whose content names the one before', async () => {
    const secret = `${run}/other`;
    await world.aws.put(secret, world.canary());
    await synced('other', { data: { password: { secret } } });
    const before = await world.api.get('Secret', { namespace, name: 'other' });
    const value = world.canary();

    await world.aws.put(secret, value);
    await holds('other', { password: value });

    const { metadata } = await world.api.get('Secret', { namespace, name: 'other' });
    const content = before.metadata.annotations[annotations.content];
    expect(metadata.annotations[annotations.content]).not.toBe(content);
    expect(metadata.annotations[annotations.previous]).toBe(content);
  });
});

describe('suspend', () => {
  it('stops sync and repair, and resuming brings both back', async () => {
    const secret = `${run}/suspended`;
    const [one, two] = [world.canary(), world.canary()];
    await world.aws.put(secret, one);
    await synced('suspended', { data: { password: { secret } } });

    await world.reference(namespace, 'suspended', { data: { password: { secret } }, suspend: true });
    const { message } = await world.waitReady(namespace, 'suspended', 'Suspended');
    await world.aws.put(secret, two);
    await world.api.patch('Secret', { namespace, name: 'suspended' }, { data: { password: 'aGVsbG8=' } });
    // Another reference shows that the operator has seen all that by now.
    await synced('witness', { data: { password: { secret } } });

    expect(message).toContain('suspended');
    expect(await world.secretData(namespace, 'suspended')).toEqual({ password: 'hello' });
    await synced('suspended', { data: { password: { secret } }, suspend: false });
    await holds('suspended', { password: two });
  });
});

describe('refreshInterval', () => {
  it('asks less often than the manager polls', async () => {
    const [rare, often] = [`${run}/rare`, `${run}/often`];
    const values = [world.canary(), world.canary()];
    await world.aws.put(rare, values[0] ?? '');
    await world.aws.put(often, values[0] ?? '');
    await synced('rare', { data: { password: { secret: rare } }, refreshInterval: '1h' });
    await synced('often', { data: { password: { secret: often } } });
    const asked = world.backend.calls.filter((call) => call.body.includes(rare)).length;

    await world.aws.put(rare, values[1] ?? '');
    await polled(often, 3);

    expect(world.backend.calls.filter((call) => call.body.includes(rare))).toHaveLength(asked);
    expect(await world.secretData(namespace, 'rare')).toEqual({ password: values[0] });
  });
});

describe('the annotation keyferry.io/sync', () => {
  it('syncs at once, whatever the poll interval, once for each new value', async () => {
    const secret = `${run}/forced`;
    const values = [world.canary(), world.canary(), world.canary()];
    await world.aws.put(secret, values[0] ?? '');
    const spec = { managerRef: { name: 'slow' }, data: { password: { secret } } };
    await synced('forced', spec);

    for (const value of values.slice(1)) {
      await world.aws.put(secret, value);
      await world.kubectl(
        'annotate',
        '--overwrite',
        'sref',
        'forced',
        '-n',
        namespace,
        `keyferry.io/sync=${value.length}-${randomUUID()}`,
      );
      await holds('forced', { password: value });
    }

    const reference = await world.api.get('SecretReference', { namespace, name: 'forced' });
    await eventually('the status says what was obeyed', async () => {
      expect((await held('forced')).lastSyncRequest).toBe(reference.metadata.annotations[annotations.sync]);
    });
  });
});

describe('while nothing changes', () => {
  it('nothing is written, and messages stay as they are', async () => {
    const secret = `${run}/quiet`;
    await world.aws.put(secret, world.canary());
    await synced('quiet', { data: { password: { secret } } });
    const broken = { missing: { secret: `${run}/quiet-missing` }, other: { secret, property: 'a' } };
    await world.reference(namespace, 'quiet-broken', { data: broken });
    await world.waitReady(namespace, 'quiet-broken', 'SecretNotFound');
    await polled(secret, 2);
    const state = async (): Promise<unknown> =>
      Promise.all(
        ['SecretReference', 'Secret', 'ClusterSecretManager', 'Event'].map(async (kind) =>
          (await world.api.list(kind)).map(({ metadata }) => [kind, metadata.name, metadata.resourceVersion]),
        ),
      );
    // The statuses of managers count references at their leisure.
    await eventually('the cluster is quiet', async () => {
      const before = await state();
      await polled(secret, 6);
      expect(await state()).toEqual(before);
    });
    const before = await state();
    const written = (await world.operatorWrites()).length;

    await polled(secret, 3);

    expect((await world.operatorWrites()).slice(written)).toEqual([]);
    expect(await state()).toEqual(before);
  });
});

describe('what people see', () => {
  it('is a table with the version, and the manager and target when it is wide', async () => {
    const secret = `${run}/seen`;
    const version = await world.aws.put(secret, world.canary());
    const data = { a: { secret }, b: { secret, stage: 'AWSCURRENT' } };
    await synced('seen', { data, target: { name: 'seen-target' } });
    await world.reference(namespace, 'unseen', { data: { a: { secret: `${run}/unseen` } } });
    await world.waitReady(namespace, 'unseen', 'SecretNotFound');
    const row = async (name: string, ...args: readonly string[]): Promise<readonly string[]> => {
      const text = await world.kubectl('get', 'sref', name, '-n', namespace, '--no-headers', ...args);
      return text.trim().split(/\s{2,}/);
    };

    const summary = `${secret}@${version.slice(0, 8)} (+1)`;
    expect((await row('seen')).slice(0, 5)).toEqual(['seen', 'True', 'Synced', 'False', summary]);
    expect((await row('seen', '-o', 'wide')).slice(0, 5)).toEqual(['seen', 'True', 'Synced', 'False', summary]);
    expect((await row('seen', '-o', 'wide')).slice(-3, -1)).toEqual(['default', 'seen-target']);
    expect((await row('unseen')).slice(0, 5)).toEqual(['unseen', 'False', 'SecretNotFound', 'False', '-']);
  });

  it('is the condition and an event in kubectl describe', async () => {
    await world.reference(namespace, 'described', { data: { a: { secret: `${run}/described` } } });
    const { message } = await world.waitReady(namespace, 'described', 'SecretNotFound');

    await eventually('the event is there', async () => {
      const text = await world.kubectl('describe', 'sref', 'described', '-n', namespace);
      expect(text).toContain(`Message:               ${message}`);
      expect(text).toMatch(/Warning\s+SecretNotFound\s/);
    });
  });
});

itLeaksNothing(() => world);
