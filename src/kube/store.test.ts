import { describe, expect, it } from 'vitest';
import { type KubeObject, objectMetaSchema } from './object.ts';
import { type Change, createStore } from './store.ts';
import { createRecordingLogger } from './testing/recording-logger.ts';

function object(name: string, resourceVersion = '1', more: Record<string, unknown> = {}): KubeObject {
  return {
    metadata: objectMetaSchema.parse({ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion, ...more }),
  };
}

function setUp() {
  const logger = createRecordingLogger();
  const store = createStore<KubeObject>({
    logger,
    indexes: { team: ({ metadata }) => (metadata.labels['team'] ?? '').split(',').filter((team) => team !== '') },
  });
  const changes: string[] = [];
  store.onChange((change) => changes.push(describeChange(change)));
  return { store, logger, changes, writer: store.writer() };
}

function version({ metadata }: KubeObject): string {
  return `${metadata.name}@${metadata.resourceVersion}`;
}

function describeChange({ type, object, previous, initial }: Change<KubeObject>): string {
  const from = previous === undefined ? '' : ` from ${version(previous)}`;
  return `${type} ${version(object)}${from}${initial ? ' initially' : ''}`;
}

describe('the store', () => {
  it('finds objects by name, and lists them', () => {
    const { store, writer } = setUp();

    writer.put(object('a'));
    writer.put(object('b', '1', { namespace: 'other' }));

    expect(store.get('shop', 'a')?.metadata.uid).toBe('uid-a');
    expect(store.get('shop', 'b')).toBeUndefined();
    expect(store.list()).toHaveLength(2);
    expect(store.size).toBe(2);
  });

  it('tells what changed, with the object as it was before', () => {
    const { changes, writer } = setUp();

    writer.put(object('a', '1'));
    writer.put(object('a', '2'));
    writer.remove(object('a', '3'));

    expect(changes).toEqual(['added a@1', 'updated a@2 from a@1', 'deleted a@2']);
  });

  it('tells nothing about an object whose version is the same', () => {
    const { changes, writer } = setUp();
    writer.replace([object('a')], true);

    writer.put(object('a'));
    writer.replace([object('a')], false);

    expect(changes).toEqual(['added a@1 initially']);
  });

  it('takes another uid for another object: one is deleted, one is added', () => {
    const { changes, writer } = setUp();
    writer.put(object('a', '1'));

    writer.put(object('a', '2', { uid: 'new' }));
    writer.remove(object('a', '1'));

    expect(changes).toEqual(['added a@1', 'deleted a@1', 'added a@2']);
  });

  it('deletes what a new list does not have, after all of it can be read', () => {
    const { store, changes, writer } = setUp();
    writer.replace([object('a'), object('b')], true);
    const sizes: number[] = [];
    store.onChange(() => sizes.push(store.size));

    writer.replace([object('b', '2'), object('c')], false);

    expect(changes.slice(2)).toEqual(['deleted a@1', 'updated b@2 from b@1', 'added c@1']);
    expect(sizes).toEqual([2, 2, 2]);
  });

  it('lets several writers fill it, each replacing and removing its own objects only', () => {
    const { store, writer } = setUp();
    const other = store.writer();
    writer.replace([object('a')], true);
    other.replace([object('b'), object('c')], true);

    writer.replace([], false);
    writer.remove(object('b'));
    other.replace([object('c')], false);

    expect(store.list().map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  it('tells that a later list took the place of what was known, after its changes and not at the first', () => {
    const { store, writer } = setUp();
    const heard: string[] = [];
    store.onChange(({ type }) => heard.push(type));
    store.onReplaced(() => heard.push('replaced'));

    writer.replace([object('a')], true);
    writer.put(object('b'));
    writer.replace([object('b')], false);

    expect(heard).toEqual(['added', 'added', 'deleted', 'replaced']);
  });

  it('finds objects by index, and follows their changes', () => {
    const { store, writer } = setUp();
    const team = (value: string): string[] => store.byIndex('team', value).map(({ metadata }) => metadata.name);
    writer.replace([object('a', '1', { labels: { team: 'x,y' } }), object('b', '1', { labels: { team: 'y' } })], true);
    const before = [team('x'), team('y'), team('z')];

    writer.put(object('a', '2', { labels: { team: 'z' } }));
    writer.remove(object('b'));

    expect(before).toEqual([['a'], ['a', 'b'], []]);
    expect([team('x'), team('y'), team('z')]).toEqual([[], [], ['a']]);
    expect(() => store.byIndex('typo', 'x')).toThrow(RangeError);
  });

  it('survives a handler that throws, and logs no more of it than a name', () => {
    const { store, logger, writer } = setUp();
    const later: string[] = [];
    store.onChange(() => {
      throw new TypeError('canary');
    });
    store.onChange(({ object }) => later.push(object.metadata.name));

    writer.put(object('a'));

    expect(later).toEqual(['a']);
    expect(logger.records).toMatchObject([{ level: 'error', fields: { name: 'a' } }]);
    expect(logger.records[0]?.fields['error']).toMatch(/^TypeError\n/);
    expect(JSON.stringify(logger.records)).not.toContain('canary');
  });

  it('survives an index that throws', () => {
    const logger = createRecordingLogger();
    const indexes = {
      broken: (): string[] => {
        throw new RangeError('canary');
      },
    };
    const store = createStore<KubeObject>({ logger, indexes });

    store.writer().put(object('a'));

    expect(store.get('shop', 'a')).toBeDefined();
    expect(store.byIndex('broken', 'x')).toEqual([]);
    expect(logger.records).toMatchObject([{ level: 'error', fields: { index: 'broken', name: 'a' } }]);
  });

  it('stops telling those who want to hear no more', () => {
    const { store, writer } = setUp();
    const heard: string[] = [];
    const stop = store.onChange(({ type }) => heard.push(type));
    writer.put(object('a'));

    stop();
    writer.put(object('b'));

    expect(heard).toEqual(['added']);
  });
});
