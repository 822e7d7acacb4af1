import { describe, expect, it } from 'vitest';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import { expired, stagesOf } from './history.ts';

/** `3` is enabled, `-3` disabled. */
function versions(...numbers: readonly number[]): StoredVersion[] {
  return numbers.map((number) => ({
    version: Math.abs(number),
    state: number > 0 ? 'Enabled' : 'Disabled',
    uid: `uid-${number}`,
    key: 'age1',
    digest: 'd',
    createdAt: '2026-01-01T00:00:00Z',
  }));
}

describe('latest and previous', () => {
  it.each([
    ['are not there without versions', [], undefined, undefined],
    ['are one, of one version', [1], 1, undefined],
    ['are the two highest, in whatever order they came', [2, 5, 3], 5, 3],
    ['leave out a disabled one before latest', [1, -2, 3], 3, 1],
    ['know no previous where all before are disabled', [-1, -2, 3], 3, undefined],
    ['keep a disabled latest: nobody silently gets an older value', [1, 2, -3], 3, 2],
  ])('%s', (_what, numbers, latest, previous) => {
    expect(stagesOf(versions(...numbers))).toEqual({ latest, previous });
  });
});

describe('what is too old to be kept', () => {
  const none = new Set<number>();
  const all = (): boolean => true;

  it.each([
    ['is nothing while the history has room', [1, 2, 3], 3, none, all, []],
    ['is what is below the newest ones', [1, 2, 3, 4], 2, none, all, [2, 1]],
    ['counts versions, not numbers', [10, 20, 30], 2, none, all, [10]],
    ['is not what a reference uses', [1, 2, 3, 4], 2, new Set([1]), all, [2]],
    ['is not what belongs to somebody else', [1, 2, 3, 4], 2, none, (version: number) => version !== 2, [1]],
    ['is never the latest', [1, 2], 1, none, all, [1]],
    ['counts disabled ones too', [-1, 2, 3], 2, none, all, [1]],
  ])('%s', (_what, numbers, kept, inUse, mayTrim, expected) => {
    expect(expired(versions(...numbers), kept, inUse, mayTrim)).toEqual(expected);
  });
});
