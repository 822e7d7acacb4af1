import { describe, expect, it } from 'vitest';
import type { ManagerObject } from '../secret-manager/manager-object.ts';
import { toClusterSecretManager, toSecretManager } from '../secret-manager/manager-object.ts';
import { buildMetadata } from '../testing/builders.ts';
import { isBeyond, limitsFor, tooManySecrets, tooManyVersions } from './limits.ts';

function manager(name: string, spec: object): ManagerObject {
  return toClusterSecretManager({ metadata: buildMetadata({ name, namespace: '' }), spec });
}

const defaults = { secrets: 100, valueBytes: 65_536, versions: 10 };
const access = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];

describe('what a namespace may keep', () => {
  it.each([
    ['is what is usual where no manager says otherwise', [], { ...defaults, manager: undefined }],
    [
      'is what the manager of all namespaces says',
      [manager('default', { embedded: {} })],
      { ...defaults, manager: 'default' },
    ],
    [
      'is more where that raises it',
      [manager('default', { embedded: { limits: { secrets: 200 } } })],
      { ...defaults, secrets: 200, manager: 'default' },
    ],
    [
      'is the most of several',
      [
        manager('a', { embedded: { limits: { versions: 50 } } }),
        manager('b', { embedded: { limits: { secrets: 300 } } }),
      ],
      { secrets: 300, valueBytes: 65_536, versions: 50, manager: 'b' },
    ],
    [
      'is what the manager of just this namespace grants as well',
      [
        manager('default', { embedded: {} }),
        manager('shared', { embedded: { namespace: 'shop', limits: { secrets: 500 } }, access }),
      ],
      { ...defaults, secrets: 500, manager: 'shared' },
    ],
    [
      'is not what the manager of another namespace grants',
      [manager('shared', { embedded: { namespace: 'org', limits: { secrets: 500 } }, access })],
      { ...defaults, manager: undefined },
    ],
    [
      'is nothing that a manager of the namespace itself, or of another backend, could say',
      [
        toSecretManager({ metadata: buildMetadata({ name: 'own' }), spec: { embedded: {} } }),
        manager('aws', { aws: { region: 'eu-west-1' }, access }),
      ],
      { ...defaults, manager: undefined },
    ],
  ])('%s', (_what, managers, expected) => {
    expect(limitsFor('shop', managers)).toEqual(expected);
  });

  it('is told with the manager that raises it, and how', () => {
    expect(tooManySecrets('shop', { ...defaults, manager: 'default' })).toBe(
      'namespace shop may keep 100 secrets, and has that many older ones: delete some, or raise the limit of ClusterSecretManager default: embedded: {limits: {secrets: 200}}',
    );
    expect(tooManySecrets('shop', { ...defaults, manager: undefined })).toContain('of a ClusterSecretManager: ');
  });
});

describe('a secret of a namespace that has too many', () => {
  const at = (name: string, second: number) => ({
    metadata: { ...buildMetadata({ name }), creationTimestamp: `2026-01-01T00:00:0${second}Z` },
  });
  const all = [at('c', 1), at('b', 2), at('a', 2), at('d', 3)];

  it.each([
    [4, []],
    [3, ['d']],
    [2, ['b', 'd']],
    [0, ['c', 'b', 'a', 'd']],
  ])('is beyond the limit of %i where so many are older, or as old and before it by name', (secrets, beyond) => {
    const found = all.filter((secret) => isBeyond(secret, all, { ...defaults, secrets }));
    expect(found.map(({ metadata }) => metadata.name)).toEqual(beyond);
  });
});

it('a secret takes no more versions than 200 above its history, whoever would have to trim them', () => {
  expect(tooManyVersions(209, defaults)).toBeUndefined();
  expect(tooManyVersions(210, defaults)).toBe('it has 210 versions, and at most 210 are kept: destroy old ones');
});
