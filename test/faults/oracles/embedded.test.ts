import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EmbeddedHistory, EmbeddedPut, History, ObjectVersion } from '../history.ts';
import { historyOf, referenceWith, versionOf } from '../testing/histories.ts';
import { nothingIsLost } from './embedded.ts';

/** A version as its secret names it. */
function entryOf(version: number, uid = `v${version}`, data = `sealed/${version}`): object {
  const digest = createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex');
  return { version, uid, key: 'age1', digest };
}

/** What VersionedSecret `db` says: the numbers that it has, each of the SecretVersion of uid `v<number>`. */
function secretAt(revision: number, numbers: readonly number[], status: object = {}): ObjectVersion {
  const versions = numbers.map((version) => entryOf(version));
  const latest = Math.max(...numbers);
  const whole = { observedGeneration: 1, latest, lastVersion: latest, versions, ...status };
  return versionOf({ kind: 'VersionedSecret', name: 'db', uid: 'db', revision, object: { status: whole } });
}

/** SecretVersion `db-<version>`, which holds what `data` is opened to. */
function versionAt(revision: number, version: number, data = `sealed/${version}`, parts: object = {}): ObjectVersion {
  const spec = { secret: 'db', version, sealed: [{ key: 'age1', data }] };
  const name = `db-${version}`;
  return versionOf({ kind: 'SecretVersion', name, uid: `v${version}`, revision, object: { spec }, ...parts });
}

function putOf(version: number | undefined, value: string, from?: number): EmbeddedPut {
  return { secret: 'db', value, from, version, at: 1 };
}

const opened = new Map([1, 2, 3, 4].map((version) => [`sealed/${version}`, `value ${version}`]));

function lawsOf(objects: readonly ObjectVersion[], embedded: Partial<EmbeddedHistory> = {}): readonly string[] {
  const whole: EmbeddedHistory = { puts: [], refusals: [], opened, kept: 2, ...embedded };
  const history: History = historyOf({ objects: objects.toSorted((a, b) => a.revision - b.revision), embedded: whole });
  return nothingIsLost(history).map(({ what }) => what);
}

describe('S11', () => {
  it('is content with versions that are put, rolled back, and trimmed when enough newer ones are kept', () => {
    const objects = [
      versionAt(1, 1),
      secretAt(2, [1]),
      versionAt(3, 2),
      secretAt(4, [1, 2]),
      versionAt(5, 3),
      secretAt(6, [2, 3]),
      versionAt(7, 1, 'sealed/1', { type: 'DELETED' }),
    ];
    const puts = [putOf(1, 'value 1'), putOf(2, 'value 2'), putOf(undefined, 'value 1', 1), putOf(3, 'value 1', 1)];
    expect(lawsOf(objects, { puts, opened: new Map([...opened, ['sealed/3', 'value 1']]) })).toEqual([]);
  });

  it('notices an answer that was not true', () => {
    const objects = [versionAt(1, 1), secretAt(2, [1])];
    expect(lawsOf(objects, { puts: [putOf(1, 'value 1')] })).toEqual([]);
    expect(lawsOf(objects, { puts: [putOf(2, 'value 2')] })).toHaveLength(1);
    expect(lawsOf(objects, { puts: [putOf(1, 'value of somebody else')] })).toHaveLength(1);
    expect(lawsOf(objects, { refusals: ['db is put: refused'] })).toHaveLength(1);
  });

  it('notices a secret that forgets a version too early', () => {
    const before = [versionAt(1, 1), secretAt(2, [1]), versionAt(3, 2)];
    expect(lawsOf([...before, secretAt(4, [1, 2])])).toEqual([]);
    expect(lawsOf([...before, secretAt(4, [2])])).toEqual([expect.stringContaining('version 1 any more')]);
  });

  it('notices a version that goes before its secret said so, or that somebody pins', () => {
    const gone = versionAt(8, 1, 'sealed/1', { type: 'DELETED' });
    const history = [versionAt(1, 1), versionAt(2, 2), versionAt(3, 3), secretAt(4, [1, 2, 3])];
    const pin = referenceWith({ password: { secret: 'db', version: '1' } }, { revision: 5 });
    expect(lawsOf([...history, gone])).toHaveLength(1);
    expect(lawsOf([...history, secretAt(6, [2, 3]), gone])).toEqual([]);
    expect(lawsOf([...history, pin, secretAt(6, [2, 3]), gone])).toEqual([expect.stringContaining('which reference')]);
  });

  it('notices a number that means another object, or an object that holds something else', () => {
    const history = [versionAt(1, 1), secretAt(2, [1])];
    const other = { versions: [entryOf(1, 'other', 'sealed/2')] };
    const stranger = versionAt(3, 1, 'sealed/2', { uid: 'other' });
    expect(lawsOf([...history, versionAt(3, 1, 'sealed/1')])).toEqual([]);
    expect(lawsOf([...history, versionAt(3, 1, 'sealed/2')])).toContain('version 1 of db held 2 values');
    expect(lawsOf([...history, versionAt(3, 1, 'sealed/for/nobody')])).toContain(
      'version 1 of db was sealed in a way that no key opens',
    );
    expect(lawsOf([...history, stranger, secretAt(4, [1], other)])).toEqual(['version 1 of db is 2 objects']);
  });

  it('notices a latest that goes back, and a number that is forgotten', () => {
    const history = [versionAt(1, 1), versionAt(2, 2), secretAt(3, [1, 2])];
    expect(lawsOf([...history, secretAt(4, [1, 2])])).toEqual([]);
    expect(lawsOf([...history, secretAt(4, [1, 2], { latest: 1 })])).toHaveLength(1);
    expect(lawsOf([...history, secretAt(4, [1, 2], { lastVersion: 1 })])).toHaveLength(1);
  });

  it('notices a rollback that is no new version, or holds something else', () => {
    const history = [versionAt(1, 1), versionAt(2, 2), secretAt(3, [1, 2])];
    expect(lawsOf(history, { puts: [putOf(2, 'value 2', 1)] })).toEqual([
      'version 2 of db does not hold what version 1 does',
    ]);
    expect(lawsOf(history, { puts: [putOf(1, 'value 1', 1)] })).toEqual(['a rollback of db to 1 is version 1']);
  });

  it('notices a putter who is told before it is written', () => {
    const status = { status: { state: 'Accepted' } };
    const told = (revision: number): ObjectVersion => {
      const spec = { secret: 'db', version: 1, sealed: [{ key: 'age1', data: 'sealed/1' }] };
      return versionAt(revision, 1, 'sealed/1', { object: { spec, ...status } });
    };
    expect(lawsOf([versionAt(1, 1), secretAt(2, [1]), told(3)])).toEqual([]);
    expect(lawsOf([versionAt(1, 1), told(2), secretAt(3, [1])])).toEqual([
      expect.stringContaining('before its secret'),
    ]);
  });

  it('notices a version that is not there in the form that its secret names, for however short a time', () => {
    const resealed = (revision: number, ...data: readonly string[]): ObjectVersion => {
      const sealed = data.map((each) => ({ key: 'age1', data: each }));
      return versionAt(revision, 1, '', { object: { spec: { secret: 'db', version: 1, sealed } } });
    };
    const same = new Map([...opened, ['anew/1', 'value 1']]);
    const before = [versionAt(1, 1), secretAt(2, [1])];
    const moved = secretAt(4, [1], { versions: [entryOf(1, 'v1', 'anew/1')] });
    const well = [...before, resealed(3, 'sealed/1', 'anew/1'), moved, resealed(5, 'anew/1')];
    expect(lawsOf(well, { opened: same })).toEqual([]);
    const early = [...before, resealed(3, 'anew/1'), moved];
    expect(lawsOf(early, { opened: same })).toEqual([expect.stringContaining('in the form that was accepted')]);
  });
});
