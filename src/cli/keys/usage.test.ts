import { describe, expect, it } from 'vitest';
import { type RawObject, rawObjectSchema } from '../../kube/object.ts';
import { fingerprintOf } from '../known-keys.ts';
import { renderTable } from '../table.ts';
import type { KeySecret } from './key-secret.ts';
import { keyColumns, keyList, keyNotes } from './list-keys.ts';
import { openedOnlyBy, usageOf } from './usage.ts';

function raw(name: string, more: object): RawObject {
  return rawObjectSchema.parse({ metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1' }, ...more });
}

function stored(version: number, key: string) {
  return { version, state: 'Enabled', uid: 'u', key, digest: 'd', createdAt: '2026-01-01T00:00:00Z' };
}

describe('how many versions are sealed to each key', () => {
  it('is counted over all secrets', () => {
    const secrets = [
      raw('a', { status: { versions: [stored(1, 'old'), stored(2, 'new')] } }),
      raw('b', { status: { versions: [stored(1, 'old')] } }),
      raw('c', {}),
    ];
    expect([...usageOf(secrets)]).toEqual([
      ['old', 2],
      ['new', 1],
    ]);
  });

  it('is not known where a status can not be read: what it uses would count as unused', () => {
    expect(() => usageOf([raw('a', { status: { versions: 'later' } })])).toThrow('VersionedSecret shop/a');
  });

  it('shows keys that versions need and that are gone', () => {
    const secret: KeySecret = { metadata: raw('k', {}).metadata, entries: [], current: undefined };
    const list = keyList(secret, new Map([['age1gone', 3]]));
    const fingerprint = fingerprintOf('age1gone');
    expect(list.keys).toEqual([{ entry: '', publicKey: 'age1gone', fingerprint, state: 'missing', versions: 3 }]);
    expect(renderTable(keyColumns, list.keys)).toContain(fingerprint);
    expect(keyNotes(list).join('\n')).toContain('keyferry keys restore FILE');
  });
});

describe('a version that one key alone opens', () => {
  const version = (name: string, ...keys: readonly string[]) =>
    raw(name, { spec: { sealed: keys.map((key) => ({ key, data: 'x' })) } });

  it('is found, accepted or not', () => {
    const versions = [
      version('a-1', 'old'),
      version('a-2', 'old', 'new'),
      version('a-3', 'new'),
      raw('a-4', { spec: {} }),
    ];
    expect(openedOnlyBy('old', ['old', 'new'], versions)).toEqual(['shop/a-1']);
  });

  it('is not opened by the key of another cluster', () => {
    expect(openedOnlyBy('old', ['old', 'new'], [version('a-1', 'old', 'elsewhere')])).toEqual(['shop/a-1']);
  });
});
