import { describe, expect, it } from 'vitest';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import { ManagerError } from '../errors.ts';
import type { AccessResult, Selector } from '../manager.ts';
import { SecretValue } from '../secret-value.ts';
import type { EmbeddedBackend, EmbeddedSecret } from './backend.ts';
import { createEmbeddedManager } from './manager.ts';

const never = new AbortController().signal;
const latest: Selector = { kind: 'latest' };

function stored(version: number, more: Partial<StoredVersion> = {}): StoredVersion {
  return {
    version,
    state: 'Enabled',
    uid: `${version}2345678-uid`,
    key: 'age1',
    digest: 'd',
    createdAt: '2026-01-01T00:00:00Z',
    ...more,
  };
}

function secretOf(more: Partial<EmbeddedSecret> = {}): EmbeddedSecret {
  return {
    namespace: 'shop',
    object: 'db.password',
    name: 'Db.Password',
    labels: {},
    writeOnly: false,
    latest: 3,
    previous: 2,
    versions: [stored(3), stored(2), stored(1)],
    problem: undefined,
    ...more,
  };
}

/** A manager over secrets that a test changes. */
function bench(...secrets: EmbeddedSecret[]) {
  const state = { secrets, opened: [] as string[], finds: 0, failure: undefined as Error | undefined };
  const backend: EmbeddedBackend = {
    find: (namespace, name) => {
      state.finds += 1;
      const wanted = name.toLowerCase();
      return state.secrets.find((each) => each.namespace === namespace && each.name.toLowerCase() === wanted);
    },
    findObject: () => undefined,
    list: (namespace) => state.secrets.filter((each) => each.namespace === namespace),
    open: async (secret, { version }) => {
      state.opened.push(`${secret.name}@${version}`);
      if (state.failure !== undefined) throw state.failure;
      return SecretValue.fromString(`${secret.name}#${version}`);
    },
    publicKey: () => ({ key: 'age1abc' }),
  };
  const manager = createEmbeddedManager(backend);
  const access = async (...selectors: readonly Selector[]): Promise<readonly AccessResult[]> =>
    manager.access(
      selectors.map((selector) => ({ secret: 'shop/db.password', selector })),
      never,
    );
  return { state, backend, manager, access };
}

function texts(results: readonly AccessResult[]): readonly string[] {
  return results.map((result) => (result instanceof ManagerError ? result.reason : result.value.asString()));
}

function errorOf(result: AccessResult | undefined): ManagerError {
  if (result instanceof ManagerError) return result;
  throw new Error('expected an error');
}

describe('an embedded secret', () => {
  it('answers latest with the concrete version, and with an identity that never comes back', async () => {
    const { access } = bench(secretOf());
    expect(await access(latest)).toMatchObject([{ version: '3', identity: '3@32345678' }]);
  });

  it('answers all that is asked of it from one look', async () => {
    const { access, state } = bench(secretOf());
    const asked: Selector[] = [
      latest,
      { kind: 'stage', stage: 'previous' },
      { kind: 'stage', stage: 'latest' },
      { kind: 'version', version: '1' },
    ];
    expect(texts(await access(...asked))).toEqual(['Db.Password#3', 'Db.Password#2', 'Db.Password#3', 'Db.Password#1']);
    expect(state.finds).toBe(1);
  });

  it('is opened once for each version, as long as somebody has the value', async () => {
    const { access, state } = bench(secretOf());
    const first = await access(latest);
    const second = await access(latest);
    expect(state.opened).toEqual(['Db.Password@3']);
    expect(first).toEqual(second);
  });

  it('that was created again under its name is another one, opened anew', async () => {
    const { access, state } = bench(secretOf());
    const before = await access(latest);
    state.secrets = [secretOf({ versions: [stored(3, { uid: 'other-uid' })] })];
    expect(await access(latest)).toMatchObject([{ version: '3', identity: '3@other-ui' }]);
    expect(state.opened).toHaveLength(2);
    expect(before).toHaveLength(1);
  });

  it('is found by any spelling of case', async () => {
    const { manager } = bench(secretOf());
    const found = await manager.access([{ secret: 'shop/DB.PASSWORD', selector: latest }], never);
    expect(texts(found)).toEqual(['Db.Password#3']);
  });

  it('is not found under a letter of another script that folds to one of its name', async () => {
    const { manager } = bench(secretOf({ name: 'key' }));
    const [result] = await manager.access([{ secret: 'shop/\u212Aey', selector: latest }], never);
    expect(errorOf(result).reason).toBe('SecretNotFound');
  });

  it('of one namespace is not that of another', async () => {
    const { manager } = bench(secretOf());
    const asked = ['bank/db.password', 'db.password', '/db.password', 'bank/../shop/db.password'];
    const found = await manager.access(
      asked.map((secret) => ({ secret, selector: latest })),
      never,
    );
    expect(texts(found)).toEqual(asked.map(() => 'SecretNotFound'));
  });
});

describe('what is not there is told with what to do', () => {
  it('a secret that does not exist: the command that creates it', async () => {
    const [result] = await bench().access(latest);
    expect(errorOf(result)).toMatchObject({
      reason: 'SecretNotFound',
      message: expect.stringContaining('keyferry put "db.password" --create -n shop'),
    });
  });

  it('a name that no secret can have stands in no command', async () => {
    const [result] = await bench().manager.access([{ secret: 'shop/$(reboot)', selector: latest }], never);
    expect(errorOf(result).message).toMatch(/^no secret kept in the cluster can have this name: it may have letters/);
    expect(errorOf(result).message).not.toContain('reboot');
  });

  it('a secret without a version: the command that puts one', async () => {
    const empty = secretOf({ latest: undefined, previous: undefined, versions: [] });
    const [result] = await bench(empty).access(latest);
    expect(errorOf(result)).toMatchObject({
      reason: 'NoVersion',
      message: 'it has no version yet. To put one: keyferry put "Db.Password" -n shop',
    });
  });

  it('a version that does not exist: those that do, ten of them', async () => {
    const versions = Array.from({ length: 12 }, (_, index) => stored(index + 1));
    const { access } = bench(secretOf({ versions, latest: 12, previous: 11 }));
    const [result] = await access({ kind: 'version', version: '77' });
    expect(errorOf(result)).toMatchObject({
      reason: 'VersionNotFound',
      message: expect.stringMatching(/no version 77\. There are 12, 11, 10, 9, 8, 7, 6, 5, 4, 3 and 2 more$/),
    });
  });

  it.each(['03', '3 ', '+3', '3.0', '0', '-1', 'three', '', '1e3', '9'.repeat(50)])(
    'the id "%s" is no version',
    async (version) => {
      const [result] = await bench(secretOf()).access({ kind: 'version', version });
      expect(errorOf(result).reason).toBe('VersionNotFound');
    },
  );

  it('a stage that no version has', async () => {
    const { access } = bench(secretOf({ previous: undefined }));
    const results = await access({ kind: 'stage', stage: 'previous' }, { kind: 'stage', stage: 'AWSCURRENT' }, latest);
    expect(texts(results)).toEqual(['VersionNotFound', 'VersionNotFound', 'Db.Password#3']);
    expect(errorOf(results[1]).message).toContain('there are latest and previous');
  });

  it('a disabled version is given to nobody, be it latest or pinned', async () => {
    const versions = [stored(3, { state: 'Disabled' }), stored(2)];
    const results = await bench(secretOf({ versions })).access(latest, { kind: 'version', version: '3' });
    expect(texts(results)).toEqual(['VersionDisabled', 'VersionDisabled']);
    expect(errorOf(results[0]).message).toContain('keyferry enable "Db.Password" 3 -n shop');
  });

  it('an object under a wrong name serves nobody', async () => {
    const problem = { reason: 'NameMismatch', message: 'its object is not called so' } as const;
    const { access, manager } = bench(secretOf({ problem }));
    expect(texts(await access(latest))).toEqual(['SecretNotFound']);
    expect(await manager.list({ prefix: 'shop/', tags: new Map() }, never)).toEqual([]);
  });

  it('a secret beyond the limit says so, and one that had versions before goes on', async () => {
    const problem = { reason: 'LimitExceeded', message: 'too many' } as const;
    const empty = secretOf({ problem, latest: undefined, previous: undefined, versions: [] });
    const { access, manager } = bench(empty);
    expect(texts(await access(latest))).toEqual(['LimitExceeded']);
    expect(await manager.list({ prefix: 'shop/', tags: new Map() }, never)).toEqual([]);
    expect(texts(await bench(secretOf({ problem })).access(latest))).toEqual(['Db.Password#3']);
  });
});

describe('doubt', () => {
  it('a version that can not be opened now is no answer, and holds up no other', async () => {
    const { access, state } = bench(secretOf());
    state.failure = new Error('canary: the value');
    const results = await access(latest, { kind: 'version', version: '99' });
    expect(texts(results)).toEqual(['ManagerUnavailable', 'VersionNotFound']);
    expect(errorOf(results[0]).message).toBe('the API server could not be asked for a version');
  });

  it('latest that is gone when it is read is no answer yet, a pinned version is', async () => {
    const { access, state } = bench(secretOf());
    state.failure = new ManagerError('VersionNotFound', 'gone');
    const results = await access(latest, { kind: 'stage', stage: 'previous' }, { kind: 'version', version: '1' });
    expect(texts(results)).toEqual(['ManagerUnavailable', 'ManagerUnavailable', 'VersionNotFound']);
    expect(errorOf(results[0]).ofOneSecret).toBe(true);
  });

  it('without a key to seal to, what was accepted is served', async () => {
    const { backend } = bench(secretOf());
    const manager = createEmbeddedManager({ ...backend, publicKey: () => ({ problem: 'no key' }) });
    const found = await manager.access([{ secret: 'shop/db.password', selector: latest }], never);
    expect(texts(found)).toEqual(['Db.Password#3']);
    await expect(manager.identity(never)).rejects.toMatchObject({ reason: 'ManagerUnavailable', message: 'no key' });
  });
});

describe('the embedded manager', () => {
  it('lists by prefix without regard to case and by labels exactly, with the names as written', async () => {
    const { manager } = bench(
      secretOf({ name: 'App/FEATURE_A', labels: { team: 'shop' } }),
      secretOf({ name: 'app/feature-b', labels: { team: 'shopping' } }),
      secretOf({ name: 'other', labels: { team: 'shop' } }),
      secretOf({ name: 'app/feature-c', labels: { team: 'shop' }, namespace: 'bank' }),
    );
    const list = async (prefix: string, tags: Record<string, string>) =>
      (await manager.list({ prefix, tags: new Map(Object.entries(tags)) }, never)).map(({ secret, name }) => [
        secret,
        name,
      ]);
    expect(await list('shop/APP/', {})).toEqual([
      ['shop/app/feature_a', 'App/FEATURE_A'],
      ['shop/app/feature-b', 'app/feature-b'],
    ]);
    expect(await list('shop/', { team: 'shop' })).toEqual([
      ['shop/app/feature_a', 'App/FEATURE_A'],
      ['shop/other', 'other'],
    ]);
    await expect(list('', {})).rejects.toMatchObject({ reason: 'InvalidValue' });
  });

  it('describes a secret, and its versions that can be read, newest first', async () => {
    const versions = [stored(1), stored(2, { state: 'Disabled' }), stored(3)];
    const { manager } = bench(secretOf({ versions, previous: 1, labels: { team: 'shop' } }));
    expect(await manager.describe('shop/DB.password', never)).toMatchObject({ secret: 'shop/db.password' });
    expect(await manager.versions('shop/db.password', never)).toMatchObject([
      { version: '3', stages: ['latest'] },
      { version: '1', stages: ['previous'] },
    ]);
    await expect(manager.describe('shop/none', never)).rejects.toMatchObject({ reason: 'SecretNotFound' });
  });

  it('says what it is, and puts nothing', async () => {
    const { manager } = bench();
    expect(await manager.identity(never)).toBe('secrets kept in this cluster, sealed to age1abc');
    await expect(manager.put('shop/a', SecretValue.fromString('x'), never)).rejects.toMatchObject({
      name: 'ManagerError',
    });
  });

  it('heeds a signal that has ended', async () => {
    const { manager } = bench(secretOf());
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const calls = [
      manager.access([{ secret: 'shop/db.password', selector: latest }], signal),
      manager.list({ prefix: 'shop/', tags: new Map() }, signal),
      manager.describe('shop/db.password', signal),
      manager.versions('shop/db.password', signal),
      manager.identity(signal),
    ];
    for (const call of calls) await expect(call).rejects.toBe(reason);
  });
});
