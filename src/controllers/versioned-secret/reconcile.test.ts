import { beforeEach, describe, expect, it } from 'vitest';
import { conditionOf } from '../../api/v1/conditions.ts';
import { keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { buildReference } from '../testing/builders.ts';
import { EmbeddedCluster, type PutOptions } from '../testing/embedded-cluster.ts';
import { kubeError } from '../testing/recording-client.ts';
import { usageOf } from './users.ts';

let cluster: EmbeddedCluster;

beforeEach(async () => {
  cluster = await EmbeddedCluster.create();
});

async function put(version: number, options?: PutOptions): Promise<void> {
  await cluster.put(version, options);
  await cluster.look();
}

/** What uses versions of the secret: each number is a reference that holds it. */
function usedBy(...versions: readonly number[]) {
  const manager = 'ClusterSecretManager/default';
  const uses = versions.map((version, index) => ({
    managers: new Set([manager]),
    reference: buildReference({
      metadata: { name: `r-${index}` },
      status: {
        versions: [
          {
            manager,
            secret: 'db.password',
            requested: 'latest',
            version: `${version}`,
            identity: '',
            keys: [],
            since: '',
          },
        ],
      },
    }),
  }));
  return usageOf(uses, 'shop', 'db.password');
}

/** Looks until nothing is written any more. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    cluster.writes();
    await cluster.look().catch(() => undefined);
    if (cluster.writes().length === 0) return;
  }
  throw new Error('it does not come to rest');
}

describe('the status of a secret', () => {
  it('says its name as it is written, also where only the object has one', async () => {
    await cluster.look();
    expect(cluster.status().name).toBe('db.password');
    cluster.secret({ name: 'DB.password' });
    await cluster.look();
    expect(cluster.status().name).toBe('DB.password');
  });

  it('says how to fill an empty one', async () => {
    await cluster.look();
    expect(conditionOf(cluster.status(), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'Empty',
      message: 'it has no version yet: keyferry put "db.password" -n shop',
    });
  });

  it('is written once for many versions, before any of those hears of it', async () => {
    for (const version of [1, 2, 3]) await cluster.put(version);
    cluster.writes();
    await cluster.look();
    const [first, ...others] = cluster.writes();
    expect(first).toBe('apply versionedsecrets/shop/db.password');
    expect(others.toSorted()).toEqual([1, 2, 3].map((version) => `apply secretversions/shop/db.password-${version}`));
  });

  it('is not written again where nothing changed', async () => {
    await put(1);
    cluster.writes();
    await cluster.look();
    await cluster.look();
    expect(cluster.writes()).toEqual([]);
  });

  it('keeps a disabled latest, and says so', async () => {
    await put(1);
    await put(2);
    cluster.secret({ disabledVersions: [2] });
    await cluster.look();
    expect(cluster.status()).toMatchObject({ latest: 2, versions: [{ version: 2, state: 'Disabled' }, {}] });
    expect(conditionOf(cluster.status(), 'Ready')).toMatchObject({ status: 'False', reason: 'VersionDisabled' });
  });

  it('tells that a rotation is due once it is, and asks to be looked at then', async () => {
    cluster.secret({ rotateAfter: '30m' });
    await cluster.put(1);
    expect(await cluster.look()).toEqual({ requeueAfter: 1_800_000 });
    expect(conditionOf(cluster.status(), 'RotationDue')).toMatchObject({ status: 'False' });
    await cluster.clock.advance(1_800_000);
    await cluster.look();
    expect(conditionOf(cluster.status(), 'RotationDue')).toMatchObject({ status: 'True' });
    expect(cluster.events.map(({ reason }) => reason)).toEqual(['Accepted', 'RotationDue']);
  });

  it('takes back that a rotation is due with the next version, whose age is looked at then', async () => {
    cluster.secret({ rotateAfter: '30m' });
    await put(1);
    await cluster.clock.advance(1_800_000);
    await cluster.look();
    expect(conditionOf(cluster.status(), 'RotationDue')).toMatchObject({ status: 'True' });
    await cluster.put(2);
    expect(await cluster.look()).toEqual({ requeueAfter: 1_800_000 });
    expect(conditionOf(cluster.status(), 'RotationDue')).toMatchObject({ status: 'False' });
  });

  it('waits with mere users, so that many that change together are one write', async () => {
    await put(1);
    cluster.writes();
    cluster.usage = usedBy(1);
    expect(await cluster.look()).toEqual({ requeueAfter: 5_000 });
    expect(cluster.writes()).toEqual([]);
    cluster.usage = usedBy(1, 1, 1);
    await cluster.clock.advance(5_000);
    await cluster.look();
    expect(cluster.status()).toMatchObject({ users: 3, usedBy: [{ versions: [1] }, {}, {}] });
    expect(cluster.versionStatus(1)).toMatchObject({ users: 3 });
    expect(cluster.writes()).toHaveLength(2);
    await cluster.look();
    expect(cluster.writes()).toEqual([]);
  });

  it('tells what was done with the secret, newest first and at most 20', async () => {
    for (let version = 1; version <= 25; version += 1) await put(version);
    const { audit = [] } = cluster.status();
    expect(audit).toHaveLength(20);
    expect(audit[0]).toMatchObject({ action: 'expire', user: 'the operator', version: 15 });
    expect(audit[1]).toMatchObject({ action: 'put', user: 'alice', version: 25, result: 'Allowed' });
  });

  it('takes in what others noted, with the next write', async () => {
    await put(1);
    await cluster.trail.record({
      action: 'reveal',
      user: 'bob',
      namespace: 'shop',
      secret: 'db.password',
      version: 1,
      result: 'Allowed',
    });
    await put(2);
    expect(cluster.status().audit).toMatchObject([{ action: 'put' }, { action: 'reveal', user: 'bob' }, {}]);
    expect(cluster.trail.pending('shop', 'db.password')).toEqual([]);
  });
});

describe('the audit log', () => {
  it('has each thing that was done once, also where a write had to be done again', async () => {
    cluster.fail = ({ verb }) => (verb === 'apply' ? kubeError(409, 'Conflict') : undefined);
    await cluster.put(1);
    await expect(cluster.look()).rejects.toThrow('409');
    cluster.fail = () => undefined;
    await cluster.look();
    cluster.secret({ disabledVersions: [1] });
    await cluster.look();
    cluster.secret();
    await cluster.look();
    await put(2, { from: 1 });
    await put(3, { place: { version: 9 } });
    cluster.drop(2);
    await cluster.look();
    expect(cluster.audited.map(({ action, version, result }) => `${action} ${version} ${result}`)).toEqual([
      'put 1 Allowed',
      'disable 1 Allowed',
      'enable 1 Allowed',
      'rollback 2 Allowed',
      'reject 3 Rejected',
      'destroy 2 Allowed',
    ]);
  });
});

describe('a version that is gone', () => {
  it('is struck out only where the API server itself says so', async () => {
    await put(1);
    await put(2);
    cluster.fail = ({ verb, object }) =>
      verb === 'get' && object.endsWith('-2') ? kubeError(503, 'ServiceUnavailable') : undefined;
    cluster.drop(2);
    await expect(cluster.look()).rejects.toThrow('503');
    expect(cluster.accepted()).toEqual([2, 1]);
    cluster.fail = () => undefined;
    await cluster.look();
    expect(cluster.status()).toMatchObject({ latest: 1, gone: '2', lastVersion: 2 });
  });

  it('is gone also where a finalizer keeps its object', async () => {
    await put(1);
    await put(2);
    cluster.terminate(2);
    await cluster.look();
    expect(cluster.status()).toMatchObject({ latest: 1, gone: '2' });
    await cluster.look();
    expect(cluster.accepted()).toEqual([1]);
  });

  it('is not struck out by a new leader whose cache does not know it yet', async () => {
    await put(1);
    await put(2);
    cluster.unseen = [2];
    cluster.restart();
    await settle();
    expect(cluster.status()).toMatchObject({ latest: 2 });
    expect(cluster.status().gone).toBeUndefined();
  });
});

describe('the history', () => {
  const keep = (versions: number): void => {
    cluster.limits = { ...cluster.limits, versions };
  };

  it('keeps the newest versions and takes out older ones, once it is noted that they are gone', async () => {
    keep(2);
    for (const version of [1, 2]) await put(version);
    cluster.writes();
    await put(3);
    expect(cluster.writes()).toEqual([
      'apply versionedsecrets/shop/db.password',
      'apply secretversions/shop/db.password-3',
      'delete secretversions/shop/db.password-1',
    ]);
    expect(cluster.status()).toMatchObject({ gone: '1', latest: 3 });
    expect(cluster.accepted()).toEqual([3, 2]);
  });

  it('keeps what a reference holds, and what does not carry our label', async () => {
    keep(1);
    cluster.usage = usedBy(1);
    await put(1);
    await put(2, { trim: false });
    await put(3, { by: null, trim: false });
    await put(4);
    await put(5);
    expect(cluster.accepted()).toEqual([5, 3, 2, 1]);
  });

  it('stays whole while no manager says how much is kept', async () => {
    for (const version of [1, 2, 3]) await put(version);
    cluster.limits = { secrets: 100, valueBytes: 65_536, versions: 1, manager: undefined };
    await cluster.look();
    expect(cluster.accepted()).toEqual([3, 2, 1]);
  });
});

describe('what git owns', () => {
  const git = { by: null, trim: false } as const;

  it('is left where it is when it is refused, and says why', async () => {
    await put(1, { ...git, place: { version: 9 } });
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Rejected', reason: 'WrongPlace' });
    expect(cluster.status().rejected).toBeUndefined();
    expect(cluster.status().gone).toBeUndefined();
    expect(cluster.audited).toMatchObject([{ action: 'reject', version: 1 }]);
  });

  it.each([
    ['for want of its place', { place: { version: 9 } }],
    ['for its number', { place: {} }],
  ])('is refused %s once and not again at each look', async (_what, options) => {
    await put(1);
    await put(20_000, { ...git, ...options });
    await settle();
    const records = cluster.audited.length;
    await cluster.look();
    expect(cluster.versionStatus(20_000)).toMatchObject({ state: 'Rejected' });
    expect(cluster.audited).toHaveLength(records);
  });

  it('is taken once the key that it is sealed to is back from its backup', async () => {
    const lost = cluster.key;
    const other = await SealingKey.generate();
    cluster.ring = keyRing([other], other, undefined);
    await put(1, git);
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Rejected', reason: 'InvalidSeal' });
    await settle();
    cluster.ring = keyRing([lost, other], other, undefined);
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Accepted' });
  });

  it('is taken once the limit that it exceeded is raised', async () => {
    cluster.limits = { ...cluster.limits, valueBytes: 3, secrets: 0 };
    await put(1, { ...git, value: 'long' });
    cluster.limits = { ...cluster.limits, secrets: 10 };
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Rejected', reason: 'LimitExceeded' });
    await settle();
    cluster.limits = { ...cluster.limits, valueBytes: 4 };
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Accepted' });
  });
});

describe('a secret that is deleted', () => {
  const objects = (): readonly number[] => [1, 2, 3].filter((version) => cluster.versionStatus(version) !== undefined);

  it('takes along what was put into it, and leaves what git owns', async () => {
    await put(1, { by: null, trim: false });
    await put(2);
    cluster.dropSecret();
    await cluster.look();
    expect(objects()).toEqual([1]);
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Pending', reason: 'SecretMissing' });
    expect(cluster.audited.at(-1)).toMatchObject({ action: 'delete', secret: 'db.password' });
  });

  it('takes them along also where a finalizer keeps it for a while', async () => {
    await put(1);
    cluster.terminateSecret();
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Accepted' });
    cluster.dropSecret();
    await cluster.look();
    expect(objects()).toEqual([]);
  });

  it('and made again at once begins anew, without what was put into the former one', async () => {
    await put(1);
    cluster.dropSecret();
    cluster.secret({}, 'another-uid');
    await cluster.look();
    expect(objects()).toEqual([]);
    expect(cluster.status().rejected).toBeUndefined();
    await put(1, { place: { uid: 'another-uid' } });
    expect(cluster.status().latest).toBe(1);
  });

  it('is not taken for deleted where only the cache does not know it', async () => {
    await put(1);
    cluster.fail = ({ verb, object }) =>
      verb === 'get' && object.startsWith('versionedsecrets') ? kubeError(503, 'ServiceUnavailable') : undefined;
    cluster.dropSecret();
    await expect(cluster.look()).rejects.toThrow('503');
    expect(objects()).toEqual([1]);
  });

  it('while nobody looked takes nothing along: its versions may be of a backup that is just coming back', async () => {
    await put(1);
    cluster.lagging = true;
    cluster.dropSecret();
    cluster.lagging = false;
    cluster.restart();
    await cluster.look();
    expect(cluster.versionStatus(1)).toMatchObject({ state: 'Pending', reason: 'SecretMissing' });
  });
});

describe('many new versions', () => {
  it('are judged some at a time, and all in the end', async () => {
    cluster.limits = { ...cluster.limits, versions: 100 };
    for (let version = 1; version <= 45; version += 1) await cluster.put(version);
    expect(await cluster.look()).toEqual({ requeueAfter: 1 });
    expect(cluster.accepted()).toHaveLength(20);
    await settle();
    expect(cluster.accepted()).toHaveLength(45);
  });
});

describe('versions without end', () => {
  async function putMany(count: number): Promise<void> {
    cluster.lagging = true;
    for (let version = 2; version <= count; version += 1) await cluster.put(version, { from: 1 });
    cluster.lagging = false;
    cluster.sync();
  }

  it('are not kept while they wait', async () => {
    cluster.secret({ type: 'missing' });
    await putMany(204);
    await settle();
    expect(cluster.versionStatus(201)).toMatchObject({ state: 'Pending', reason: 'TypeMissing' });
    expect([202, 203, 204].map((version) => cluster.versionStatus(version))).toEqual([undefined, undefined, undefined]);
    expect(cluster.status().rejected?.[0]).toMatchObject({ version: 204, reason: 'LimitExceeded' });
    expect(cluster.audited).toHaveLength(3);
  });

  it('are not kept while there is no secret for them', async () => {
    cluster.dropSecret();
    await putMany(203);
    await settle();
    expect(cluster.versionStatus(201)).toMatchObject({ state: 'Pending', reason: 'SecretMissing' });
    expect(cluster.versionStatus(202)).toBeUndefined();
    expect(cluster.audited).toMatchObject([
      { action: 'reject', user: 'alice', version: 202, reason: 'LimitExceeded' },
      { version: 203 },
    ]);
  });
});

describe('an operator that is killed between any two writes loses nothing', () => {
  const stories: readonly [string, (world: EmbeddedCluster) => Promise<void>, readonly number[], string | undefined][] =
    [
      ['that was put', async (world) => world.put(3), [3, 2, 1], undefined],
      ['that was rolled back', async (world) => world.put(3, { from: 1 }), [3, 2, 1], undefined],
      ['that was refused', async (world) => world.put(3, { place: { version: 9 } }), [2, 1], '3'],
      [
        'that fell out of the history',
        async (world) => {
          world.limits = { ...world.limits, versions: 2 };
          await world.put(3);
        },
        [3, 2],
        '1',
      ],
      [
        'among several that came at once',
        async (world) => {
          await world.put(3);
          await world.put(4, { place: { version: 9 } });
          await world.put(5, { from: 2 });
        },
        [5, 3, 2, 1],
        '4',
      ],
    ];

  it.each(stories)('%s', async (_what, story, accepted, gone) => {
    for (let killedAfter = 0; killedAfter < 8; killedAfter += 1) {
      cluster = await EmbeddedCluster.create();
      await put(1);
      await put(2);
      await story(cluster);
      cluster.writesLeft = killedAfter;
      await cluster.look().catch(() => undefined);
      // Whoever was told of a version finds it in the book that the next process reads.
      const told = [1, 2, 3, 4, 5].filter((version) => cluster.versionStatus(version)?.state === 'Accepted');
      const known = new Set(cluster.accepted());
      const expiring = gone === '1' ? [1] : [];
      expect(told.filter((version) => !known.has(version) && !expiring.includes(version))).toEqual([]);

      cluster.restart();
      await settle();

      expect(cluster.accepted()).toEqual(accepted);
      expect(cluster.status().gone).toBe(gone);
      const objects = [1, 2, 3, 4, 5].filter((version) => cluster.versionStatus(version) !== undefined);
      expect(objects.toReversed()).toEqual(accepted);
      expect(objects.map((version) => cluster.versionStatus(version)?.state)).toEqual(accepted.map(() => 'Accepted'));
      const refused = (cluster.status().rejected ?? []).map(({ reason }) => reason);
      expect(refused).toEqual(gone === '3' || gone === '4' ? ['WrongPlace'] : []);
    }
  });
});
