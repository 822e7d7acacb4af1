import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secretVersions, versionedSecrets } from '../../../api/v1/resources.ts';
import { KubeError } from '../../../kube/errors.ts';
import { subjectOf } from '../../../kube/path.ts';
import { FakeClient } from '../../../kube/testing/fake-client.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { SecretValue } from '../../secret-value.ts';
import { openSealed } from '../sealing/envelope.ts';
import { SealingKey } from '../sealing/sealing-key.ts';
import { toSecret, toVersion, type VersionObject } from './objects.ts';
import { putVersion, type VersionSource } from './put-version.ts';
import { createSecret } from './secrets.ts';
import type { ClientSession } from './session.ts';

const never = new AbortController().signal;
const write = { fieldManager: 'test', signal: never };
const namespace = 'shop';
const secretKey = 'versionedsecrets/shop/db';
let key: SealingKey;
let client: FakeClient;
let session: ClientSession;

beforeAll(async () => {
  key = await SealingKey.generate();
});
beforeEach(() => {
  client = new FakeClient();
  session = {
    client,
    namespace,
    clock: systemClock,
    user: () => Promise.resolve({ name: 'ann', groups: ['team', 'system:authenticated'] }),
    sealingTarget: () => Promise.resolve({ publicKey: key.publicKey, cluster: 'cluster-uid', valueBytes: 65_536 }),
    patience: 5_000,
  };
});

/** The operator: decides about a version when it is first looked at. */
function operator(decide: (version: VersionObject) => object | 'gone' | undefined): void {
  const decided = new Set<string>();
  client.fail = (call) => {
    const [verb, name = ''] = call.split(' ');
    const object = client.objects.get(name);
    if (verb !== 'get' || !name.startsWith('secretversions/') || object === undefined || decided.has(name))
      return undefined;
    const status = decide(toVersion(object));
    if (status !== undefined) decided.add(name);
    if (status === 'gone') client.objects.delete(name);
    else if (status !== undefined) client.objects.set(name, { ...object, status });
    return undefined;
  };
}

function setStatus(status: object): void {
  const object = client.objects.get(secretKey);
  if (object !== undefined) client.objects.set(secretKey, { ...object, status });
}

async function put(source: VersionSource = { value: SecretValue.fromString('v') }, spec: object = {}): Promise<number> {
  const { secret } = await createSecret(session, { name: 'db', spec }, never);
  return (await putVersion(session, secret, source, never)).version;
}

function stored(version: number): VersionObject {
  const object = client.objects.get(`secretversions/shop/db-${version}`);
  if (object === undefined) throw new Error(`there is no version ${version}`);
  return toVersion(object);
}

describe('a version that is put', () => {
  it('is sealed for its own place, in the name of who puts it, and may be trimmed', async () => {
    operator(() => ({ state: 'Accepted' }));

    expect(await put(undefined, { type: 'api-key' })).toBe(1);

    const { metadata, spec } = stored(1);
    expect(spec).toMatchObject({ createdBy: 'ann', createdByGroups: ['team', 'system:authenticated'] });
    expect(metadata.labels).toEqual({ 'keyferry.io/trim': 'true' });
    const { uid } = toSecret(await client.get(versionedSecrets, { namespace, name: 'db' }, { signal: never })).metadata;
    const place = { cluster: 'cluster-uid', namespace, secret: 'db', uid, version: 1, type: 'api-key' };
    const [sealed] = spec.sealed ?? [];
    expect((await openSealed(sealed?.data ?? '', key, place, 65_536)).asString()).toBe('v');
  });

  it('of a portable secret names neither cluster nor object', async () => {
    operator(() => ({ state: 'Accepted' }));
    await put(undefined, { sealing: 'Portable' });
    const place = { cluster: '', namespace, secret: 'db', uid: '', version: 1, type: '' };
    const data = stored(1).spec.sealed?.[0]?.data ?? '';
    expect((await openSealed(data, key, place, 65_536)).asString()).toBe('v');
  });

  it('gets the number after the highest that was ever used, also where others are faster', async () => {
    operator(() => ({ state: 'Accepted' }));
    const { secret } = await createSecret(session, { name: 'db' }, never);
    setStatus({ lastVersion: 6 });
    for (const version of [7, 8]) {
      const metadata = { name: `db-${version}`, namespace };
      const spec = { secret: 'db', version, createdBy: 'bob', sealed: [{ key: 'k', data: 'AAAA' }] };
      await client.create(secretVersions, { metadata, spec }, write);
    }
    const fresh = toSecret(await client.get(versionedSecrets, secret.metadata, { signal: never }));

    expect((await putVersion(session, fresh, { value: SecretValue.fromString('v') }, never)).version).toBe(9);
    expect(stored(8).spec.createdBy).toBe('bob');
  });

  it('is put once where the answer was lost on its way', async () => {
    const lost = new KubeError({
      subject: subjectOf('create', secretVersions),
      status: 0,
      reason: 'ConnectionFailed',
      mayHaveTakenEffect: true,
    });
    operator(() => ({ state: 'Accepted' }));
    const create = client.create.bind(client);
    client.create = async (...args) => {
      const made = await create(...args);
      if (args[0].plural === 'secretversions') throw lost;
      return made;
    };

    expect(await put()).toBe(1);
    expect(Array.from(client.objects.keys()).filter((name) => name.startsWith('secretversions/'))).toHaveLength(1);
  });

  it('is put under the next number where the operator knows its own from before', async () => {
    operator(({ spec }) => {
      if (spec.version > 1) return { state: 'Accepted' };
      setStatus({ lastVersion: 1, rejected: [{ version: 1, reason: 'VersionReused', message: 'used', time: 'now' }] });
      return 'gone';
    });
    expect(await put()).toBe(2);
  });

  it('that repeats an earlier one carries no value', async () => {
    operator(() => ({ state: 'Accepted' }));
    await put({ from: 0 });
    expect(stored(1).spec).toMatchObject({ from: { version: 0 } });
    expect(stored(1).spec.sealed).toBeUndefined();
  });
});

describe('a version that is not accepted', () => {
  it.each([
    ['NotAllowed', 'AccessDenied'],
    ['InvalidValue', 'InvalidValue'],
    ['LimitExceeded', 'LimitExceeded'],
    ['NumberTooHigh', 'ManagerUnavailable'],
  ])('for %s is told in the words of the operator, although its object is gone', async (reason, told) => {
    operator(({ spec }) => {
      const rejection = { version: spec.version, reason, message: 'because of this', time: 'now' };
      setStatus({ lastVersion: spec.version, rejected: [rejection] });
      return 'gone';
    });
    await expect(put()).rejects.toMatchObject({
      reason: told,
      message: `version 1 of secret db was refused (${reason}): because of this`,
    });
  });

  it('is told where its object stays', async () => {
    operator(() => ({ state: 'Rejected', reason: 'InvalidValue', message: 'because of this' }));
    await expect(put()).rejects.toThrow('was refused (InvalidValue): because of this');
  });

  it('is counted as accepted where it is gone and the book has it', async () => {
    operator(({ metadata }) => {
      const entry = { version: 1, state: 'Enabled', uid: metadata.uid, key: 'k', digest: 'd', createdAt: 'now' };
      setStatus({ lastVersion: 1, versions: [entry] });
      return 'gone';
    });
    expect(await put()).toBe(1);
  });

  it('nor refused says what it waits for, and that it is stored', async () => {
    session = { ...session, patience: 1 };
    const waiting = { state: 'Pending', reason: 'TypeMissing', message: 'there is no SecretType x.' };
    operator(() => waiting);
    await expect(put()).rejects.toThrow(
      /^version 1 of secret db is stored but not yet accepted: there is no SecretType x. .*do not put it again/,
    );
  });

  it('nor looked at says that nobody answers', async () => {
    session = { ...session, patience: 1 };
    await expect(put()).rejects.toThrow('the operator did not answer');
  });

  it('was deleted by somebody says so', async () => {
    operator(() => 'gone');
    await expect(put()).rejects.toThrow('was deleted before the operator had accepted it');
  });

  it('for a secret that was made anew meanwhile is not sealed for that', async () => {
    operator(() => {
      const object = client.objects.get(secretKey);
      if (object === undefined) return undefined;
      const rejected = [{ version: 1, reason: 'VersionReused', message: 'used', time: 'now' }];
      client.objects.set(secretKey, {
        ...object,
        metadata: { ...object.metadata, uid: 'another' },
        status: { rejected },
      });
      return 'gone';
    });
    await expect(put()).rejects.toThrow('was deleted and created again meanwhile');
  });
});

describe('nothing is stored', () => {
  it.each([
    ['an empty value', '', 'InvalidValue'],
    ['a value that is too large', 'x'.repeat(65_537), 'LimitExceeded'],
  ])('of %s', async (_what, text, reason) => {
    await expect(put({ value: SecretValue.fromString(text) })).rejects.toMatchObject({ reason });
    expect(client.calls.filter((call) => call.startsWith('create secretversions'))).toEqual([]);
  });

  it('where the API server denies it, in the words of the policy', async () => {
    client.fail = (call) =>
      call.startsWith('create secretversions')
        ? new KubeError({
            subject: subjectOf('create', secretVersions),
            status: 403,
            reason: 'Forbidden',
            detail: "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: ann may not put secret db",
          })
        : undefined;
    await expect(put()).rejects.toMatchObject({ reason: 'AccessDenied', message: 'ann may not put secret db' });
  });
});
