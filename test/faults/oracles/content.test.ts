import { describe, expect, it } from 'vitest';
import type { BackendChange, ObjectVersion, Oracle } from '../history.ts';
import { historyOf, put, referenceWith, secretWith } from '../testing/histories.ts';
import { monotone, noInvention } from './content.ts';

const fields = (user: string, word: string): string => JSON.stringify({ user, word });
const login = {
  user: { secret: 'login', property: 'user' },
  word: { secret: 'login', property: 'word' },
};

function laws(
  oracle: Oracle,
  parts: { readonly objects: readonly ObjectVersion[]; readonly backend: readonly BackendChange[] },
) {
  return oracle(historyOf(parts)).map(({ law }) => law);
}

describe('S1', () => {
  const backend = put('login', fields('u1', 'w1'), fields('u2', 'w2'));
  const reference = referenceWith(login);
  const judged = (data: Readonly<Record<string, string>>, revision = 9) =>
    laws(noInvention, { objects: [reference, secretWith(data, { revision })], backend });

  it('is content with what was put', () => {
    expect(judged({ user: 'u2', word: 'w2' })).toEqual([]);
  });

  it('sees what was never put, what was not put yet, and what is torn between two versions', () => {
    expect(judged({ user: 'other', word: 'w2' })).toEqual(['S1']);
    expect(judged({ user: 'u2', word: 'w2' }, 1)).toEqual(['S1']);
    expect(judged({ user: 'u1', word: 'w2' })).toEqual(['S1']);
  });

  it('sees a key that is missing, and one that nobody asked for', () => {
    expect(judged({ user: 'u2' })).toEqual(['S1', 'S1']);
    expect(judged({ user: 'u2', word: 'w2', more: 'x' })).toEqual(['S1']);
  });

  it('takes every recipe that the reference ever had', () => {
    const later = referenceWith({ user: { secret: 'login', property: 'user' } }, { generation: 2, revision: 5 });
    const secret = secretWith({ user: 'u1' }, { revision: 4 });
    expect(laws(noInvention, { objects: [reference, secret, later], backend })).toEqual([]);
  });

  it('lets people write what they like into a key, as long as it is theirs', () => {
    const managedFields = [{ manager: 'kubectl', fieldsV1: { 'f:data': { 'f:user': {} } } }];
    const secret = secretWith({ user: 'mine', word: 'w1' }, { object: { metadata: { managedFields } } });
    expect(laws(noInvention, { objects: [reference, secret], backend })).toEqual([]);
  });
});

describe('S4', () => {
  const backend = put('db', 'one', 'two');
  const pinned = referenceWith({ password: { secret: 'db', version: 'v1' } });

  it('is content with the version that is named', () => {
    const objects = [pinned, secretWith({ password: 'one' }, { revision: 9 })];
    expect(laws(noInvention, { objects, backend })).toEqual([]);
  });

  it('sees another one', () => {
    const objects = [pinned, secretWith({ password: 'two' }, { revision: 9 })];
    expect(laws(noInvention, { objects, backend })).toEqual(['S4']);
  });
});

describe('S3', () => {
  const reference = referenceWith({ password: { secret: 'db' } });
  const objects = [
    reference,
    secretWith({ password: 'two' }, { revision: 7 }),
    secretWith({ password: 'one' }, { revision: 8 }),
  ];

  it('sees an older version after a newer one', () => {
    expect(laws(monotone, { objects, backend: put('db', 'one', 'two') })).toEqual(['S3']);
  });

  it('is content where the label went back', () => {
    const back = { kind: 'move', secret: 'db', version: 'v1', value: 'one', at: 7.5 } as const;
    expect(laws(monotone, { objects, backend: [...put('db', 'one', 'two'), back] })).toEqual([]);
  });

  it('is content where the reference said before that it holds the older one, and not where it says so afterwards', () => {
    const status = { held: { good: { versions: [{ secret: 'db', version: 'v1' }] } } };
    const [first, newer, older] = objects;
    const saying = (revision: number): ObjectVersion =>
      referenceWith({ password: { secret: 'db' } }, { revision, status });
    const told = (revision: number): readonly ObjectVersion[] =>
      [first, newer, older, saying(revision)]
        .filter((each) => each !== undefined)
        .toSorted((a, b) => a.revision - b.revision);
    expect(laws(monotone, { objects: told(7.5), backend: put('db', 'one', 'two') })).toEqual([]);
    expect(laws(monotone, { objects: told(9), backend: put('db', 'one', 'two') })).toEqual(['S3']);
  });

  it('is content with versions that are skipped', () => {
    const skipping = [
      reference,
      secretWith({ password: 'one' }, { revision: 7 }),
      secretWith({ password: 'three' }, { revision: 8 }),
    ];
    expect(laws(monotone, { objects: skipping, backend: put('db', 'one', 'two', 'three') })).toEqual([]);
  });
});
