import { beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedBackend, EmbeddedSecret } from '../../managers/embedded/backend.ts';
import { keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import { EmbeddedCluster, type PutOptions } from '../testing/embedded-cluster.ts';
import { kubeError } from '../testing/recording-client.ts';

let cluster: EmbeddedCluster;
let backend: EmbeddedBackend;
const { signal } = new AbortController();

beforeEach(async () => {
  cluster = await EmbeddedCluster.create();
  backend = cluster.backend();
});

async function put(version: number, options?: PutOptions): Promise<void> {
  await cluster.put(version, options);
  await cluster.look();
}

function found(): EmbeddedSecret {
  const secret = backend.find('shop', 'db.password');
  if (secret === undefined) throw new Error('it is not found');
  return secret;
}

async function open(version: number): Promise<string> {
  const secret = found();
  const stored = secret.versions.find((each) => each.version === version);
  if (stored === undefined) throw new Error('there is no such version');
  return (await backend.open(secret, stored, signal)).asString();
}

async function refusal(version: number): Promise<ManagerError> {
  const error: unknown = await open(version).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ManagerError) return error;
  throw new Error('it is not refused by a ManagerError', { cause: error });
}

describe('a secret', () => {
  it('is found by any spelling of case, and by the name of its object', async () => {
    await cluster.look();
    expect(backend.find('shop', 'DB.Password')?.name).toBe('db.password');
    expect(backend.findObject('shop', 'db.password')?.name).toBe('db.password');
    expect(backend.list('shop').map(({ object }) => object)).toEqual(['db.password']);
    expect(backend.find('other', 'db.password')).toBeUndefined();
    expect(backend.find('shop', 'other')).toBeUndefined();
  });

  it('has latest, previous and its versions, newest first', async () => {
    for (const version of [1, 2, 3]) await put(version);
    expect(found()).toMatchObject({
      latest: 3,
      previous: 2,
      versions: [{ version: 3 }, { version: 2 }, { version: 1 }],
    });
  });

  it('gives out no version from the moment on in which it is disabled', async () => {
    for (const version of [1, 2]) await put(version);
    cluster.secret({ disabledVersions: [1] });
    expect(found().versions).toMatchObject([{ state: 'Enabled' }, { state: 'Disabled' }]);
  });

  it('says why it serves nobody', async () => {
    cluster.limits = { ...cluster.limits, secrets: 0 };
    await cluster.look();
    expect(found().problem).toMatchObject({ reason: 'LimitExceeded' });
    cluster.secret({ name: 'other' });
    expect(backend.findObject('shop', 'db.password')?.problem).toMatchObject({ reason: 'NameMismatch' });
  });

  it('beyond the limit goes on being served where it has versions', async () => {
    await put(1);
    cluster.limits = { ...cluster.limits, secrets: 0 };
    await cluster.look();
    expect(found()).toMatchObject({ latest: 1, problem: undefined });
  });
});

describe('an accepted version', () => {
  it('is opened, also what a rollback brought', async () => {
    await put(1, { value: 'one' });
    await put(2, { value: 'two' });
    await put(3, { from: 1 });
    expect(await Promise.all([1, 2, 3].map(open))).toEqual(['one', 'two', 'one']);
  });

  it('is opened when the limits were lowered, and after another key came in use', async () => {
    await put(1, { value: 'x'.repeat(1_000) });
    const next = await SealingKey.generate();
    cluster.ring = keyRing([cluster.key, next], next, undefined);
    cluster.limits = { ...cluster.limits, valueBytes: 1 };
    await cluster.look();
    expect(await open(1)).toHaveLength(1_000);
    expect(backend.publicKey()).toEqual({ key: next.publicKey });
  });

  it.each([
    ['whose key is gone keeps what references hold', 'backup'],
    ['that the API server can not be asked for is no answer at all', ''],
  ])('%s', async (_what, says) => {
    await put(1);
    const other = await SealingKey.generate();
    if (says === '') cluster.fail = () => kubeError(503, 'ServiceUnavailable');
    else cluster.ring = keyRing([other], other, undefined);
    const thrown: unknown = await open(1).catch((error: unknown) => error);
    expect(thrown).toMatchObject(says === '' ? { status: 503 } : { reason: 'ManagerUnavailable' });
    expect(String(thrown)).toContain(says);
  });

  it('that was altered behind the API server is not given out', async () => {
    await put(1);
    await cluster.alter(1, 'other');
    expect(await refusal(1)).toMatchObject({ reason: 'ManagerUnavailable' });
  });

  it('that is gone is not found', async () => {
    await put(1);
    cluster.lagging = true;
    cluster.drop(1);
    expect(await refusal(1)).toMatchObject({ reason: 'VersionNotFound' });
  });
});

describe('the public key', () => {
  it('is that of the key in use, or there is a reason', () => {
    expect(backend.publicKey()).toEqual({ key: cluster.key.publicKey });
    cluster.ring = keyRing([], undefined, 'restore it');
    expect(backend.publicKey()).toEqual({ problem: 'restore it' });
  });
});
