import { describe, expect, it } from 'vitest';
import type { Selector } from '../../managers/manager.ts';
import { prefixedNames } from '../../managers/secret-names.ts';
import type { ReadyManager } from '../managers.ts';
import { buildReference } from '../testing/builders.ts';
import { createFakeSource, directoryOf, type FakeSource, failed, known, versionOf } from '../testing/fake-source.ts';
import { createReader } from './reader.ts';
import type { Resolution } from './resolution.ts';
import { resolveReference } from './resolve.ts';

const options = { refreshInterval: undefined, familiarNames: () => ['db.password'] };
const asker = { namespace: 'shop', labels: {}, trustedLabels: new Set<string>() };

function value(secret: string, selector: Selector = { kind: 'latest' }) {
  return { kind: 'value', secret, selector } as const;
}

function resolve(source: FakeSource, spec: object, manager: Partial<ReadyManager> = {}): Resolution {
  return resolveReference(
    buildReference({ spec }),
    createReader({ ...options, directory: directoryOf(source, manager), asker }),
  );
}

function keysOf(resolution: Resolution): Record<string, string> {
  if (resolution.state !== 'resolved') throw new Error(JSON.stringify(resolution));
  return Object.fromEntries(resolution.keys.map((item) => [item.key, item.value.asString()]));
}

const heldVersion = {
  manager: 'ClusterSecretManager/default',
  version: '1',
  identity: '1@abc',
  keys: ['B'],
  since: '2026-01-01T00:00:00Z',
};

function failureOf(resolution: Resolution) {
  if (resolution.state !== 'failed') throw new Error(`expected a failure, not ${resolution.state}`);
  return resolution.failure;
}

describe('resolving data', () => {
  it('takes the latest, a stage and a version of secrets', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf('1')));
    source.set(value('a', { kind: 'stage', stage: 'AWSPREVIOUS' }), known(versionOf('2')));
    source.set(value('a', { kind: 'version', version: 'x' }), known(versionOf('3')));
    const spec = {
      data: { l: { secret: 'a' }, s: { secret: 'a', stage: 'AWSPREVIOUS' }, v: { secret: 'a', version: 'x' } },
    };
    expect(keysOf(resolve(source, spec))).toEqual({ l: '1', s: '2', v: '3' });
  });

  it('takes a property and decodes it', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf(JSON.stringify({ user: { name: 'b25l' } }))));
    expect(keysOf(resolve(source, { data: { u: { secret: 'a', property: 'user.name', decode: 'base64' } } }))).toEqual({
      u: 'one',
    });
  });

  it('puts the prefix of the manager before names but not before ARNs', () => {
    const source = createFakeSource();
    source.set(value('prod/a'), known(versionOf('1')));
    source.set(value('arn:aws:secretsmanager:eu-west-1:1:secret:b-AbCdEf'), known(versionOf('2')));
    const spec = { data: { a: { secret: 'a' }, b: { secret: 'arn:aws:secretsmanager:eu-west-1:1:secret:b-AbCdEf' } } };
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['a', 'arn:**'] }];
    expect(keysOf(resolve(source, spec, { names: prefixedNames('prod/'), access }))).toEqual({ a: '1', b: '2' });
  });

  it('waits while one key is not known', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf('1')));
    expect(resolve(source, { data: { a: { secret: 'a' }, b: { secret: 'b' } } })).toEqual({ state: 'pending' });
  });

  it('fails as a whole when one key is refused, naming key, secret, manager and how many more', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf('1')));
    source.set(value('b'), failed('SecretNotFound', 'there is none'));
    source.set(value('c'), failed('SecretNotFound', 'there is none'));
    const failure = failureOf(
      resolve(source, { data: { a: { secret: 'a' }, b: { secret: 'b' }, c: { secret: 'c' } } }),
    );
    expect(failure).toMatchObject({
      reason: 'SecretNotFound',
      transient: false,
      message:
        'key b, secret b (ClusterSecretManager default): there is none. Correct the name, or create the secret (and 1 more)',
    });
  });

  it('tells a refusal before what is only out of reach or not known yet', () => {
    const source = createFakeSource();
    source.set(value('a'), failed('Throttled'));
    source.set(value('c'), failed('SecretNotFound'));
    const failure = failureOf(
      resolve(source, { data: { a: { secret: 'a' }, b: { secret: 'b' }, c: { secret: 'c' } } }),
    );
    expect(failure.reason).toBe('SecretNotFound');
  });

  it('leaves an optional key out, or gives it its default, only where the answer is that it is not there', () => {
    const source = createFakeSource();
    source.set(value('gone'), failed('SecretNotFound'));
    source.set(value('denied'), failed('AccessDenied'));
    const optional = {
      data: { a: { secret: 'gone', optional: true }, b: { secret: 'gone', optional: true, default: 'x' } },
    };
    expect(keysOf(resolve(source, optional))).toEqual({ b: 'x' });
    expect(failureOf(resolve(source, { data: { a: { secret: 'denied', optional: true } } })).reason).toBe(
      'AccessDenied',
    );
  });

  it('names a manager that is not there', () => {
    const failure = failureOf(
      resolve(createFakeSource(), { managerRef: { name: 'nobody' }, data: { a: { secret: 'a' } } }),
    );
    expect(failure).toMatchObject({
      reason: 'ManagerNotFound',
      message: expect.stringContaining('ClusterSecretManager nobody'),
    });
  });
});

describe('a wrong name', () => {
  it('is answered with the nearest name that the namespace uses', () => {
    const source = createFakeSource();
    source.set(value('db.pasword'), failed('SecretNotFound', 'there is none'));
    const { message } = failureOf(resolve(source, { data: { a: { secret: 'db.pasword' } } }));
    expect(message).toMatch(/there is none\. Did you mean db\.password\?$/u);
  });
});

describe('find', () => {
  it('reads no value of more secrets than a Secret may have keys', () => {
    const source = createFakeSource();
    const names = Array.from({ length: 501 }, (_, index) => ({ secret: `shop/${index}` }));
    source.set({ kind: 'find', query: { prefix: 'shop/', tags: new Map() }, known: [] }, known(names));
    const reference = buildReference({ spec: { data: undefined, dataFrom: [{ find: { prefix: 'shop/' } }] } });
    const reader = createReader({ ...options, directory: directoryOf(source), asker });

    const failure = failureOf(resolveReference(reference, reader));

    expect(failure).toMatchObject({ reason: 'LimitExceeded', transient: false });
    expect(reader.wants.get('ClusterSecretManager/default')).toHaveLength(1);
  });
});

describe('security rule 9: access rules', () => {
  it('refuse a secret that they do not grant before the source hears of it, and say which rule would', () => {
    const source = createFakeSource();
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['shop/*'] }];
    const reader = createReader({
      ...options,
      directory: directoryOf(source, { access, contact: '#platform' }),
      asker,
    });
    const failure = failureOf(
      resolveReference(buildReference({ spec: { data: { a: { secret: 'other/a' } } } }), reader),
    );
    expect(failure).toMatchObject({ reason: 'AccessDenied', denied: 'Retain' });
    expect(failure.message).toMatch(/namespace shop.*other\/a.*Contact: #platform/u);
    expect(reader.wants.size).toBe(0);
  });

  it.each([
    ['the labels of the namespace are not known', { matchLabels: { tier: 'gold' } }, undefined],
    ['a rule is a mistake', { matchLabels: { team: 'shop' } }, {}],
  ])('delete nothing while %s', (_, selector, labels) => {
    const access = [{ namespaces: { selector }, secrets: ['**'] }];
    const trusted = { ...asker, labels, trustedLabels: new Set(['tier']) };
    const directory = directoryOf(createFakeSource(), { access, onRevoked: 'Delete' });

    const resolution = resolveReference(buildReference(), createReader({ ...options, directory, asker: trusted }));

    expect(failureOf(resolution)).toMatchObject({ reason: 'AccessDenied', denied: 'Retain' });
  });

  it.each([
    ['Retain', ['shop/a'], 'AccessDenied'],
    ['Retain', ['nothing'], 'AccessDenied'],
    ['Delete', ['shop/a'], 'resolved'],
    ['Delete', ['nothing'], 'AccessDenied'],
  ] as const)('that are withdrawn follow onRevoked: %s where %s is left', (onRevoked, left, becomes) => {
    const source = createFakeSource();
    const found = ['shop/a', 'shop/b'].map((secret) => ({ secret, tags: new Map() }));
    source.set({ kind: 'find', query: { prefix: 'shop/', tags: new Map() }, known: [] }, known(found));
    source.set(value('shop/a'), known(versionOf('1')));
    const access = [{ namespaces: { names: ['shop'] }, secrets: [...left] }];
    const reference = buildReference({
      spec: { data: undefined, dataFrom: [{ find: { prefix: 'shop/' }, keys: { style: 'EnvVar' } }] },
      status: { versions: [{ ...heldVersion, secret: 'shop/b', requested: 'latest' }] },
    });
    const reader = createReader({ ...options, directory: directoryOf(source, { access, onRevoked }), asker });

    const resolution = resolveReference(reference, reader);

    expect(resolution.state === 'failed' ? resolution.failure.reason : resolution.state).toBe(becomes);
    expect(resolution).toMatchObject(
      becomes === 'resolved' ? { keys: [{ key: 'SHOP_A' }] } : { failure: { denied: onRevoked } },
    );
  });

  it('that leave nothing to find are told as finding nothing: nobody learns what is there', () => {
    const source = createFakeSource();
    const query = { prefix: 'shop/', tags: new Map<string, string>() };
    const spec = { data: undefined, dataFrom: [{ find: { prefix: 'shop/' } }] };
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['other'] }];
    source.set({ kind: 'find', query, known: [] }, known([{ secret: 'shop/a', tags: new Map() }]));
    const denied = failureOf(resolve(source, spec, { access }));
    source.set({ kind: 'find', query, known: [] }, known([]));

    expect(failureOf(resolve(source, spec, { access }))).toEqual(denied);
    expect(denied.reason).toBe('SecretNotFound');
  });

  it('are applied to each result of find', () => {
    const source = createFakeSource();
    const query = { prefix: 'shop/', tags: new Map<string, string>() };
    const found = ['shop/a', 'shop/b/secret'].map((secret) => ({ secret, tags: new Map() }));
    source.set({ kind: 'find', query, known: [] }, known(found));
    source.set(value('shop/a'), known(versionOf('1')));
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['shop/*'] }];
    const spec = {
      data: undefined,
      dataFrom: [{ find: { prefix: 'shop/' }, keys: { style: 'EnvVar', stripPrefix: 'shop/' } }],
    };
    expect(keysOf(resolve(source, spec, { access }))).toEqual({ A: '1' });
  });
});

describe('a pinned version', () => {
  const pinned = { secret: 'a', version: 'v1' };
  const held = { ...heldVersion, secret: 'a', requested: 'version v1', version: 'v1' };

  it.each<readonly [what: string, spec: object]>([
    ['of a key', { data: { key: pinned } }],
    ['of a key that may be missing', { data: { key: { ...pinned, optional: true } } }],
    ['of an extract', { data: undefined, dataFrom: [{ extract: pinned }] }],
  ])('%s is not another one that came to have its id', (_what, spec) => {
    const source = createFakeSource();
    source.set(
      value('a', { kind: 'version', version: 'v1' }),
      known({ ...versionOf('{"x":"1"}'), identity: 'v1@new' }),
    );
    const reader = createReader({ ...options, directory: directoryOf(source), asker });
    const reference = buildReference({ spec, status: { versions: [{ ...held, identity: 'v1@old' }] } });

    const failure = failureOf(resolveReference(reference, reader));

    expect(failure.reason).toBe('VersionNotFound');
    expect(failure.message).toContain('was created again');
  });

  it('is the one that is held, and another identity of latest is a rotation', () => {
    const source = createFakeSource();
    source.set(value('a', { kind: 'version', version: 'v1' }), known(versionOf('1')));
    source.set(value('a'), known(versionOf('2')));
    const versions = [
      { ...held, identity: 'v1@abc' },
      { ...held, requested: 'latest', identity: 'v0@abc' },
    ];
    const reader = createReader({ ...options, directory: directoryOf(source), asker });
    const spec = { data: { pin: pinned, latest: { secret: 'a' } } };

    expect(keysOf(resolveReference(buildReference({ spec, status: { versions } }), reader))).toEqual({
      pin: '1',
      latest: '2',
    });
  });
});

describe('resolving dataFrom', () => {
  it('makes a key of each property', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf('{"user":"one","port":5432}')));
    expect(keysOf(resolve(source, { data: undefined, dataFrom: [{ extract: { secret: 'a' } }] }))).toEqual({
      user: 'one',
      port: '5432',
    });
  });

  it('makes a key of each of the last versions', () => {
    const source = createFakeSource();
    const summaries = ['v3', 'v2', 'v1'].map((version) => ({ version, stages: [], createdAt: undefined }));
    source.set({ kind: 'versions', secret: 'k' }, known(summaries));
    for (const version of ['v3', 'v2'])
      source.set(value('k', { kind: 'version', version }), known(versionOf(`value ${version}`, version)));
    const spec = { data: undefined, dataFrom: [{ versions: { secret: 'k', last: 2 } }] };
    expect(keysOf(resolve(source, spec))).toEqual({ v3: 'value v3', v2: 'value v2' });
  });

  it('refuses two sources of one key', () => {
    const source = createFakeSource();
    source.set(value('a'), known(versionOf('{"user":"one"}')));
    const failure = failureOf(
      resolve(source, { data: { user: { secret: 'a' } }, dataFrom: [{ extract: { secret: 'a' } }] }),
    );
    expect(failure).toMatchObject({
      reason: 'InvalidValue',
      message: expect.stringContaining('key user comes from two places'),
    });
  });

  it('asks a direct look for names that the target holds', () => {
    const source = createFakeSource();
    const reader = createReader({ ...options, directory: directoryOf(source), asker });
    const held = {
      manager: 'ClusterSecretManager/default',
      requested: 'latest',
      version: 'v',
      identity: 'v@x',
      keys: [],
      since: 't',
    };
    const status = {
      versions: [
        { ...held, secret: 'app/x' },
        { ...held, secret: 'other' },
      ],
    };
    const spec = { data: undefined, dataFrom: [{ find: { prefix: 'app/' } }] };
    resolveReference(buildReference({ spec, status }), reader);
    expect(reader.wants.get('ClusterSecretManager/default')).toMatchObject([
      { topic: { kind: 'find', known: ['app/x'] } },
    ]);
  });
});
