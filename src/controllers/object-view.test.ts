import { describe, expect, it } from 'vitest';
import { createStore, type StoreWriter } from '../kube/store.ts';
import { silentLogger } from '../runtime/logger.ts';
import { buildReference } from './testing/builders.ts';
import { type Reference, referenceIndexes } from './secret-reference/reference.ts';
import { createObjectView, type ObjectView } from './object-view.ts';

const request = { namespace: 'shop', name: 'api-db' };
const at = (resourceVersion: string, metadata: object = {}): Reference =>
  buildReference({ metadata: { resourceVersion, ...metadata } });

function viewOf(...objects: readonly Reference[]): {
  readonly view: ObjectView<Reference>;
  readonly cache: StoreWriter<Reference>;
  readonly version: () => string | undefined;
} {
  const store = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
  const cache = store.writer();
  for (const object of objects) cache.put(object);
  const view = createObjectView<Reference>(({ namespace, name }) => store.get(namespace, name));
  return { view, cache, version: () => view.get(request)?.metadata.resourceVersion };
}

describe('the view of references', () => {
  it('shows our own write until the watch tells it', () => {
    const { view, cache, version } = viewOf(at('9'));
    view.wrote(at('10'));
    expect(version()).toBe('10');
    cache.put(at('12'));
    expect(version()).toBe('12');
  });

  it('does not go back to an earlier write of ours that the watch tells late', () => {
    const { view, cache, version } = viewOf(at('9'));
    view.wrote(at('10'));
    view.wrote(at('11'));
    cache.put(at('10'));
    expect(version()).toBe('11');
  });

  it('shows what somebody wrote after us where the watch was faster than the answer to our write', () => {
    const { view, version } = viewOf(at('12'));
    view.wrote(at('10'));
    expect(version()).toBe('12');
  });

  it('shows another object of the same name, though our write was to the one before', () => {
    const { view, cache, version } = viewOf(at('9'));
    view.wrote(at('10'));
    cache.put(at('9', { uid: 'uid-2' }));
    expect(version()).toBe('9');
  });

  it('shows nothing where the watch says that the object is gone', () => {
    const { view, cache, version } = viewOf(at('9'));
    view.wrote(at('10'));
    cache.remove(at('9'));
    expect(version()).toBeUndefined();
  });

  it('tells our own write from that of others', () => {
    const { view } = viewOf(at('9'));
    view.wrote(at('10'));
    expect(view.isOwnWrite(at('10'))).toBe(true);
    expect(view.isOwnWrite(at('11'))).toBe(false);
    view.forget(request);
    expect(view.isOwnWrite(at('10'))).toBe(false);
  });
});
