import { describe, expect, it } from 'vitest';
import type { Selector } from '../../manager.ts';
import { chosen } from './client-manager.ts';
import { type SecretObject, toSecret } from './objects.ts';

function secretWith(status: object): SecretObject {
  const metadata = { name: 'db', namespace: 'shop', uid: 'u', resourceVersion: '1' };
  return toSecret({ metadata: { ...base, ...metadata }, spec: { name: 'DB' }, status });
}
const base = { generation: 1, labels: {}, annotations: {}, ownerReferences: [] };

function version(number: number, state: 'Enabled' | 'Disabled' = 'Enabled'): object {
  return { version: number, state, uid: `u${number}`, key: 'k', digest: 'd', createdAt: '2026-01-01T00:00:00Z' };
}

const stage = (name: string): Selector => ({ kind: 'stage', stage: name });
const numbered = (id: string): Selector => ({ kind: 'version', version: id });
const latest: Selector = { kind: 'latest' };
const versions = [version(4), version(3, 'Disabled'), version(1)];
const status = { latest: 4, previous: 1, versions };

describe('the version that is meant', () => {
  it.each<readonly [string, Selector, number]>([
    ['by latest', latest, 4],
    ['by the stage latest', stage('latest'), 4],
    ['by the stage previous', stage('previous'), 1],
    ['by its number', numbered('1'), 1],
  ])('%s is found', (_how, selector, number) => {
    expect(chosen(secretWith(status), selector)).toBe(number);
  });

  it.each<readonly [string, Selector, object, string]>([
    ['a disabled one', numbered('3'), status, 'VersionDisabled'],
    ['a number that there is not', numbered('2'), status, 'VersionNotFound'],
    ['a number in another form', numbered('04'), status, 'VersionNotFound'],
    ['a word', numbered('latest'), status, 'VersionNotFound'],
    ['a stage that there is not', stage('AWSPREVIOUS'), status, 'VersionNotFound'],
    [
      'previous where there is one version',
      stage('previous'),
      { latest: 1, versions: [version(1)] },
      'VersionNotFound',
    ],
    ['a disabled latest', latest, { latest: 3, versions }, 'VersionDisabled'],
    ['latest of an empty secret', latest, {}, 'NoVersion'],
    [
      'latest of a secret beyond the limit',
      latest,
      { ...status, conditions: [problem('LimitExceeded')] },
      'LimitExceeded',
    ],
    [
      'latest of an object with a false name',
      latest,
      { ...status, conditions: [problem('NameMismatch')] },
      'SecretNotFound',
    ],
  ])('by %s is refused', (_how, selector, given, reason) => {
    expect(() => chosen(secretWith(given), selector)).toThrow(expect.objectContaining({ reason }));
  });
});

function problem(reason: string): object {
  return { type: 'Ready', status: 'False', reason, message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' };
}
