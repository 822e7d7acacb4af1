import { describe, expect, it } from 'vitest';
import type { Topic } from '../../managers/topic.ts';
import { buildVersionSet } from '../testing/builders.ts';
import { createFakeSource, directoryOf, failed, type FakeSource, known, versionOf } from '../testing/fake-source.ts';
import { createHeldReader } from './held-reader.ts';
import { createReader, type Reader } from './reader.ts';

const manager = 'ClusterSecretManager/default';
const latest = { kind: 'latest' } as const;
const set = buildVersionSet();

function setup(versions: Partial<typeof set> = {}): { source: FakeSource; reader: Reader; held: Reader } {
  const source = createFakeSource();
  const asker = { namespace: 'shop', labels: {}, trustedLabels: new Set<string>() };
  const reader = createReader({
    directory: directoryOf(source),
    asker,
    refreshInterval: undefined,
    familiarNames: () => [],
  });
  return { source, reader, held: createHeldReader(reader, { ...set, ...versions }) };
}

function topic(secret: string, version?: string): Extract<Topic, { kind: 'value' }> {
  return { kind: 'value', secret, selector: version === undefined ? latest : { kind: 'version', version } };
}

describe('a reader of held versions', () => {
  it('reads what was the latest by its id', () => {
    const { source, reader, held } = setup();
    source.set(topic('db.password'), known(versionOf('two', 'v2')));
    source.set(topic('db.password', 'v1'), known(versionOf('one', 'v1')));
    expect(held.value(manager, 'db.password', latest, 'key password')).toMatchObject({
      state: 'known',
      result: { version: 'v1' },
    });
    expect([...reader.wants.values()].flat()).toMatchObject([{ topic: topic('db.password', 'v1') }]);
  });

  it('refuses a version whose id came back for another one', () => {
    const { source, held } = setup();
    source.set(topic('db.password', 'v1'), known({ ...versionOf('other', 'v1'), identity: 'v1@def' }));
    expect(held.value(manager, 'db.password', latest, 'key password')).toMatchObject({
      state: 'failed',
      failure: {
        reason: 'VersionNotFound',
        transient: false,
        message: expect.stringContaining('key password: the secret was created again'),
      },
    });
  });

  it('passes on that nobody knows yet, and what a manager says of it', () => {
    const { source, held } = setup();
    expect(held.value(manager, 'db.password', latest, 'x')).toEqual({ state: 'pending' });
    source.set(topic('db.password', 'v1'), failed('VersionDisabled'));
    expect(held.value(manager, 'db.password', latest, 'x')).toMatchObject({ failure: { reason: 'VersionDisabled' } });
  });

  it('reads as it is what the set says nothing of', () => {
    const { source, held } = setup();
    source.set(topic('app/new'), known(versionOf('new', 'v9')));
    expect(held.value(manager, 'app/new', latest, 'x')).toMatchObject({ state: 'known', result: { version: 'v9' } });
  });

  it('finds only what the set has', () => {
    const { source, held } = setup();
    const query = { prefix: '', tags: new Map<string, string>() };
    const found = ['app/new', 'db.password'].map((secret) => ({ secret, tags: new Map() }));
    source.set({ kind: 'find', query, known: [] }, known(found));
    expect(held.find(manager, query, [], 'x')).toEqual({ state: 'known', result: ['db.password'] });
  });

  it('lists only the versions that the set has', () => {
    const { source, held } = setup();
    const summaries = ['v1', 'v2'].map((version) => ({ version, stages: [], createdAt: undefined }));
    source.set({ kind: 'versions', secret: 'db.password' }, known(summaries));
    expect(held.versions(manager, 'db.password', 'x')).toEqual({ state: 'known', result: summaries.slice(0, 1) });
  });
});
