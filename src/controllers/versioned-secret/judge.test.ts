import { beforeEach, describe, expect, it } from 'vitest';
import { keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { EmbeddedCluster, type PutOptions } from '../testing/embedded-cluster.ts';
import { kubeError } from '../testing/recording-client.ts';

let cluster: EmbeddedCluster;
let spare: SealingKey;

beforeEach(async () => {
  [cluster, spare] = await Promise.all([EmbeddedCluster.create(), SealingKey.generate()]);
});

/** Puts one version and looks. */
async function put(version: number, options?: PutOptions): Promise<void> {
  await cluster.put(version, options);
  await cluster.look();
}

/** What the putter reads once its object is gone. */
const refusal = () => cluster.status().rejected?.[0];

describe('a version that is put', () => {
  it('becomes latest', async () => {
    await put(1);
    await put(2);
    expect(cluster.status()).toMatchObject({ latest: 2, previous: 1, lastVersion: 2 });
    expect(cluster.versionStatus(2)).toEqual({
      state: 'Accepted',
      reason: 'Accepted',
      message: 'references can have it',
      users: 0,
    });
    expect(cluster.verdicts).toEqual(['accepted', 'accepted']);
  });

  it('that comes after a higher one is accepted and does not become latest', async () => {
    await put(5);
    await put(3);
    expect(cluster.status()).toMatchObject({ latest: 5, previous: 3, lastVersion: 5 });
  });

  it('may begin at a high number, as a history in git does', async () => {
    await put(40_000);
    expect(cluster.status().latest).toBe(40_000);
  });

  it('begins at no number that leaves none, also where it is refused for something else', async () => {
    await put(999_999_999, { place: { secret: 'other' } });
    expect(refusal()).toMatchObject({ version: 999_999_999, reason: 'NumberTooHigh' });
    expect(cluster.status().lastVersion).toBeUndefined();
    await put(1);
    expect(cluster.status().latest).toBe(1);
  });

  it('far above the last one is refused, and uses up no number', async () => {
    await put(1);
    await put(20_000);
    expect(refusal()).toMatchObject({ version: 20_000, reason: 'NumberTooHigh' });
    expect(cluster.status()).toMatchObject({ lastVersion: 1 });
    expect(cluster.versionStatus(20_000)).toBeUndefined();
    await put(2);
    expect(cluster.status().latest).toBe(2);
  });
});

describe('a version is refused, with what to do, that', () => {
  it.each([
    ['was sealed for another secret', { place: { secret: 'other' } }, 'WrongPlace'],
    ['was sealed for another namespace', { place: { namespace: 'other' } }, 'WrongPlace'],
    ['was sealed for another version', { place: { version: 7 } }, 'WrongPlace'],
    ['was sealed for another cluster', { place: { cluster: 'other' } }, 'WrongPlace'],
    ['was sealed for a secret of this name that was deleted', { place: { uid: 'former' } }, 'WrongPlace'],
    ['was sealed for another type', { place: { type: 'api-key' } }, 'WrongPlace'],
    ['is empty', { value: '' }, 'InvalidValue'],
    ['is too large', { value: 'x'.repeat(65_537) }, 'LimitExceeded'],
  ] as const)('%s', async (_what, options, reason) => {
    await put(1, options);
    expect(refusal()).toMatchObject({ version: 1, reason, createdBy: 'alice' });
    expect(cluster.status()).toMatchObject({ gone: '1', lastVersion: 1 });
    expect(cluster.status().latest).toBeUndefined();
    expect(cluster.versionStatus(1)).toBeUndefined();
    expect(cluster.verdicts).toEqual(['rejected']);
  });

  it('is sealed to no key of ours', async () => {
    await put(1, { key: await SealingKey.generate() });
    expect(refusal()).toMatchObject({ reason: 'InvalidSeal', message: expect.stringContaining('publicKey') });
  });

  it('its writer may not put', async () => {
    cluster.allowed = (user) => user !== 'alice';
    await put(1);
    expect(refusal()).toMatchObject({
      reason: 'NotAllowed',
      message: 'alice may not put secret db.password. Ask for: keyferry grant put "db.password" --to alice -n shop',
    });
  });

  it('has a number that was destroyed', async () => {
    await put(1);
    await put(2);
    cluster.drop(2);
    await cluster.look();
    await put(2);
    expect(refusal()).toMatchObject({ version: 2, reason: 'VersionReused' });
    expect(cluster.status()).toMatchObject({ latest: 1, gone: '2', lastVersion: 2 });
    expect(cluster.versionStatus(2)).toBeUndefined();
  });

  it('took the place of an accepted one while nobody looked', async () => {
    await put(1);
    await put(2);
    cluster.lagging = true;
    cluster.drop(2);
    await cluster.put(2, { value: 'other' });
    cluster.sync();
    cluster.lagging = false;
    await cluster.look();
    expect(cluster.status()).toMatchObject({ latest: 1, gone: '2' });
    expect(refusal()).toMatchObject({ version: 2, reason: 'VersionReused' });
  });

  it('does not fit its type: the path and the rule, and nothing of the value', async () => {
    cluster.type('short', { type: 'string', maxLength: 3 });
    cluster.secret({ type: 'short' });
    await put(1, { value: 'canary', place: { type: 'short' } });
    expect(refusal()).toMatchObject({ reason: 'InvalidValue', message: expect.stringContaining('maxLength') });
    expect(JSON.stringify(cluster.status())).not.toContain('canary');
    await put(2, { value: 'abc', place: { type: 'short' } });
    expect(cluster.status().versions).toMatchObject([{ version: 2, type: 'short' }]);
  });

  it('exceeds the secrets that the namespace may keep, with how to raise that', async () => {
    cluster.limits = { ...cluster.limits, secrets: 0 };
    await put(1);
    expect(refusal()).toMatchObject({
      reason: 'LimitExceeded',
      message: expect.stringContaining('embedded: {limits: '),
    });
    expect(cluster.status().conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'LimitExceeded' }]);
  });
});

describe('a version waits, and is accepted later, while', () => {
  it.each([
    [
      'its type is missing',
      'TypeMissing',
      () => cluster.secret({ type: 'text' }),
      () => cluster.type('text', { type: 'string' }),
    ],
    [
      'the policies are not in force',
      'PolicyMissing',
      () => (cluster.gate = { open: false, message: 'apply the policies' }),
      () => (cluster.gate = { open: true }),
    ],
    [
      'the sealing key is missing',
      'SealingKeyMissing',
      () => (cluster.ring = keyRing([], undefined, 'restore it')),
      () => (cluster.ring = keyRing([cluster.key], cluster.key, undefined)),
    ],
    [
      'the key that it is sealed to can not be read, though another is in use',
      'SealingKeyMissing',
      () => (cluster.ring = keyRing([spare], spare, undefined, false, 'no age key in 1.agekey')),
      () => (cluster.ring = keyRing([cluster.key, spare], spare, undefined)),
    ],
  ] as const)('%s', async (_what, reason, lose, restore) => {
    lose();
    await put(1, reason === 'TypeMissing' ? { place: { type: 'text' } } : {});
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Pending', reason });
    expect(cluster.status().latest).toBeUndefined();
    restore();
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Accepted' });
    expect(cluster.status().latest).toBe(1);
  });

  it('its secret is missing', async () => {
    cluster.dropSecret();
    await put(1);
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Pending', reason: 'SecretMissing' });
    cluster.secret();
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Accepted' });
  });

  it('its secret has another name than its object', async () => {
    cluster.secret({ name: 'other' });
    await put(1);
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Pending', reason: 'SecretMissing' });
    expect(cluster.status().conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'NameMismatch' }]);
  });

  it('the API server can not be asked, which holds back no other', async () => {
    await cluster.put(1);
    await cluster.put(2);
    cluster.fail = ({ verb, object }) =>
      verb === 'get' && object.endsWith('db.password-1') ? kubeError(503, 'ServiceUnavailable') : undefined;
    await expect(cluster.look()).rejects.toThrow('503');
    expect(cluster.accepted()).toEqual([2]);
    cluster.fail = () => undefined;
    await cluster.look();
    expect(cluster.accepted()).toEqual([2, 1]);
  });
});

describe('a version that came while a false name was let through', () => {
  const unguarded = { open: false, message: 'the policy is missing', unguarded: true } as const;

  it('is refused for good, and its number is gone', async () => {
    cluster.gate = unguarded;
    await put(1);
    expect(refusal()).toMatchObject({ reason: 'PolicyMissing', message: 'the policy is missing. Then put it again' });
    cluster.gate = { open: true };
    await cluster.look();
    expect(cluster.status()).toMatchObject({ gone: '1', lastVersion: 1 });
    expect(cluster.versionStatus(1)).toBeUndefined();
  });

  it('stays refused also where git owns it', async () => {
    cluster.gate = unguarded;
    await put(1, { by: null, trim: false });
    cluster.gate = { open: true };
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Rejected', reason: 'PolicyMissing' });
    expect(cluster.status().latest).toBeUndefined();
  });
});

describe('a secret takes no more versions than it may keep', () => {
  it('whoever would have to trim them', async () => {
    await put(1, { trim: false });
    cluster.lagging = true;
    for (let version = 2; version <= 202; version += 1) await cluster.put(version, { from: 1, trim: false });
    cluster.lagging = false;
    cluster.limits = { ...cluster.limits, versions: 1 };
    cluster.sync();
    while (cluster.status().rejected === undefined) await cluster.look();
    expect(refusal()).toMatchObject({ version: 202, reason: 'LimitExceeded' });
    expect(cluster.accepted()).toHaveLength(201);
  }, 60_000);
});

describe('a rollback', () => {
  const rollBack = (version: number, from: number, options: PutOptions = {}) => put(version, { ...options, from });

  it('is a new version, which outlives the one that it repeats', async () => {
    await put(1);
    await put(2);
    await rollBack(3, 1);
    expect(cluster.status()).toMatchObject({ latest: 3, previous: 2, versions: [{ version: 3, from: 1 }, {}, {}] });
    cluster.drop(1);
    await cluster.look();
    await rollBack(4, 3);
    expect(cluster.status()).toMatchObject({ latest: 4, gone: '1' });
  });

  it.each([
    ['to what was never there', 9, 'SourceMissing'],
    ['to what is disabled', 1, 'SourceMissing'],
  ])('%s is refused', async (_what, from, reason) => {
    await put(1);
    await put(2);
    cluster.secret({ disabledVersions: [1] });
    await rollBack(3, from);
    expect(refusal()).toMatchObject({ version: 3, reason });
  });

  it('is refused where the source was altered, and where nobody can open it any more', async () => {
    await put(1);
    const { key } = cluster;
    const other = await SealingKey.generate();
    cluster.ring = keyRing([other], other, undefined);
    await rollBack(2, 1);
    expect(refusal()).toMatchObject({ reason: 'SourceMissing', message: expect.stringContaining('backup') });
    cluster.ring = keyRing([key], key, undefined);
    await rollBack(3, 1);
    expect(cluster.status().latest).toBe(3);
  });

  it('waits where the key of the source can not be read', async () => {
    await put(1);
    const { key } = cluster;
    cluster.ring = keyRing([spare], spare, undefined, false, 'no age key in 1.agekey');
    await rollBack(2, 1);
    expect(cluster.versionStatus(2)).toMatchObject({ state: 'Pending', message: 'no age key in 1.agekey' });
    cluster.ring = keyRing([key, spare], spare, undefined);
    await cluster.look();
    expect(cluster.status().latest).toBe(2);
  });

  it('keeps the type that the value met, and is judged by no other', async () => {
    cluster.type('text', { type: 'string' });
    cluster.type('short', { type: 'string', maxLength: 3 });
    cluster.secret({ type: 'text' });
    await put(1, { place: { type: 'text' } });
    cluster.secret({ type: 'short' });
    await rollBack(2, 1);
    expect(cluster.status().versions).toMatchObject([{ version: 2, type: 'text' }, { version: 1 }]);
  });

  it('does not look at a value beside it: whether two are equal is nothing for a putter to know', async () => {
    await put(1, { value: 'secret' });
    await put(2, { value: 'guess', from: 1 });
    expect(cluster.status().latest).toBe(2);
    await put(3, { value: 'secret', from: 1 });
    expect(cluster.status().latest).toBe(3);
  });
});
