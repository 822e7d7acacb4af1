import { describe, expect, it } from 'vitest';
import type { ManagerRef, SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { buildConsumer, buildReference, buildVersionSet } from '../testing/builders.ts';
import { embeddedSecretsOf, type SecretUse, usageOf } from './users.ts';

/** `default` keeps what is an asker's own, `shared` what is in `org`; `aws` is another backend. */
function keepsIn(ref: ManagerRef, namespace: string): string | undefined {
  if (ref.kind === 'SecretManager') return namespace;
  return { default: namespace, shared: 'org' }[ref.name];
}

function secretsOf(spec: object, status: SecretReferenceStatus = {}): readonly string[] {
  return [...embeddedSecretsOf(buildReference({ spec, status }), keepsIn).keys()].toSorted();
}

function held(secret: string, version: string, manager = 'ClusterSecretManager/default') {
  return { manager, secret, requested: 'latest', version, identity: `${version}@x`, keys: ['a'], since: 't' };
}

function use(name: string, namespace: string, spec: object, status: SecretReferenceStatus = {}): SecretUse {
  const reference = buildReference({ metadata: { name, namespace }, spec, status });
  return { reference, managers: new Set(['ClusterSecretManager/default', 'ClusterSecretManager/shared']) };
}

const data = { a: { secret: 'db.password' } };
const usage = (...uses: readonly SecretUse[]) => usageOf(uses, 'shop', 'db.password');

describe('the embedded secrets of a reference', () => {
  it.each([
    [
      'are those of data, by the name of their object',
      { data: { a: { secret: 'DB.Password' } } },
      ['shop/db.password'],
    ],
    [
      'are those of dataFrom',
      { dataFrom: [{ extract: { secret: 'a' } }, { versions: { secret: 'b', last: 2 } }] },
      ['shop/a', 'shop/b'],
    ],
    [
      'are none of another namespace, until it has one: it may be granted none',
      { managerRef: { name: 'shared' }, data },
      [],
    ],
    [
      'follow the manager of each entry',
      { data: { a: { secret: 'x', managerRef: { kind: 'SecretManager', name: 'own' } }, b: { secret: 'y' } } },
      ['shop/x', 'shop/y'],
    ],
    ['are none of another backend', { managerRef: { name: 'aws' }, data }, []],
    ['are none that a find may bring, until it has', { dataFrom: [{ find: { prefix: 'x' } }] }, []],
  ])('%s', (_what, spec, expected) => {
    expect(secretsOf({ data: undefined, ...spec })).toEqual(expected);
  });

  it('are also those that its Secret still holds', () => {
    const versions = [
      held('found', '2'),
      held('other', 'uuid', 'ClusterSecretManager/aws'),
      held('smtp', '1', 'ClusterSecretManager/shared'),
    ];
    expect(secretsOf({ data }, { versions })).toEqual(['org/smtp', 'shop/db.password', 'shop/found']);
  });
});

describe('the users of a secret', () => {
  it('are counted in all namespaces, and named in its own', () => {
    const { count, named } = usage(use('b', 'shop', { data }), use('a', 'shop', { data }), use('c', 'other', { data }));
    expect(count).toBe(3);
    expect(named.map(({ reference }) => reference)).toEqual(['a', 'b']);
  });

  it('are at most 100 by name', () => {
    const { count, named } = usage(
      ...Array.from({ length: 130 }, (_none, index) => use(`r-${index}`, 'shop', { data })),
    );
    expect([count, named.length]).toEqual([130, 100]);
  });

  it('are told with the versions that they hold', () => {
    const found = usage(use('a', 'shop', { data }, { versions: [held('DB.password', '3'), held('other', '9')] }));
    expect(found.named).toMatchObject([{ reference: 'a', versions: [3], pinned: false }]);
    expect([found.holders(3), found.holders(9)]).toEqual([1, 0]);
  });

  it('use also a version that they name and do not hold yet', () => {
    const found = usage(
      use('a', 'shop', { data: { a: { secret: 'db.password', version: '2' } } }),
      use('b', 'shop', { data: undefined, dataFrom: [{ extract: { secret: 'db.password', version: '4' } }] }),
    );
    expect(found.named.map(({ pinned }) => pinned)).toEqual([true, true]);
    expect([1, 2, 3, 4].filter((version) => found.has(version))).toEqual([2, 4]);
  });

  it('use also what a failed rollout went back to, or would', () => {
    const set = (version: string) => buildVersionSet({ versions: [{ ...held('db.password', version) }] });
    const found = usage(
      use('a', 'shop', { data }, { held: { good: set('1'), bad: set('2'), since: 't', why: 'failed' } }),
      use('b', 'shop', { data }, { guard: { good: set('5'), content: '1:b' } }),
    );
    expect([1, 2, 3, 4, 5].filter((version) => found.has(version))).toEqual([1, 5]);
  });

  it('hold no number where what they hold comes from another backend', () => {
    const { named } = usage(use('a', 'shop', { data }, { versions: [held('db.password', '7f1c-uuid')] }));
    expect(named).toMatchObject([{ versions: [] }]);
  });

  it('are told with their workloads, and what each of those runs', () => {
    const status: SecretReferenceStatus = {
      versions: [held('db.password', '3')],
      target: { name: 'a', uid: 'u', resourceVersion: '1', ownership: 'Owner', inputs: '1:c', content: '1:c' },
      guard: { good: buildVersionSet({ content: '1:b', versions: [held('db.password', '2')] }), content: '1:c' },
      consumers: [
        buildConsumer({ name: 'new', content: '1:c' }),
        buildConsumer({ name: 'old', content: '1:b' }),
        buildConsumer({ kind: 'Job', name: 'other', content: 'unknown' }),
      ],
    };
    expect(usage(use('a', 'shop', { data }, status)).named).toMatchObject([
      { consumers: ['Deployment/new@3', 'Deployment/old@2', 'Job/other@?'] },
    ]);
  });

  it('are told with what each workload ran before, while pods with it may be left', () => {
    const status: SecretReferenceStatus = {
      versions: [held('db.password', '4'), held('db.account', '1')],
      target: { name: 'a', uid: 'u', resourceVersion: '1', ownership: 'Owner', inputs: '1:c', content: '1:c' },
      consumers: [
        buildConsumer({ name: 'paused', content: '1:c', state: 'Paused', replaces: ['db.account@1, DB.password@2'] }),
        buildConsumer({ name: 'again', content: '1:c', state: 'Failed', replaces: ['db.password@2', 'db.password@3'] }),
        buildConsumer({ name: 'same', content: '1:c', state: 'Failed', replaces: ['db.account@1, db.password@4'] }),
        buildConsumer({ name: 'lost', content: '1:c', state: 'Failed', replaces: ['unknown'] }),
        buildConsumer({
          name: 'waits',
          content: '1:a',
          state: 'Waiting',
          versions: 'db.password@1, db.account@1 (+7)',
        }),
        buildConsumer({ name: 'alone', content: '1:a', state: 'LeftAlone', versions: 'a@b.password@9, db.password@5' }),
      ],
    };
    expect(usage(use('a', 'shop', { data }, status)).named[0]?.consumers).toEqual([
      'Deployment/paused@2->4',
      'Deployment/again@2->3->4',
      'Deployment/same@4',
      'Deployment/lost@?->4',
      'Deployment/waits@1',
      'Deployment/alone@5',
    ]);
  });
});
