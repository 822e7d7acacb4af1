import { beforeEach, describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import type { TargetStatus } from '../../api/v1/secret-reference.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createStore, type Store, type StoreWriter } from '../../kube/store.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { buildMetadata, buildReference } from '../testing/builders.ts';
import { requeueManager, requeueSubscriber, watchForReferences } from './controller.ts';
import { type Reference, referenceIndexes } from './reference.ts';
import { createObjectView, type ObjectView } from '../object-view.ts';

const target = (resourceVersion: string): TargetStatus => ({
  name: 'shared',
  uid: 'secret-uid',
  resourceVersion,
  ownership: 'Owner',
  inputs: '1:a',
});
const reference = (name: string, metadata: object = {}, status: object = {}, spec: object = {}): Reference =>
  buildReference({
    metadata: { name, uid: `uid-${name}`, ...metadata },
    spec: { target: { name: 'shared' }, ...spec },
    status,
  });
const secret = (resourceVersion: string, metadata: object = {}): KubeObject => ({
  metadata: buildMetadata({ name: 'shared', uid: 'secret-uid', resourceVersion, ...metadata }),
});

describe('what the caches see', () => {
  let references: Store<Reference>;
  let view: ObjectView<Reference>;
  let cachedReferences: StoreWriter<Reference>;
  let cachedTargets: StoreWriter<KubeObject>;
  let cachedNamespaces: StoreWriter<KubeObject>;
  let called: string[];

  beforeEach(() => {
    references = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
    const targets = createStore<KubeObject>({ logger: silentLogger });
    const namespaces = createStore<KubeObject>({ logger: silentLogger });
    [cachedReferences, cachedTargets, cachedNamespaces] = [references.writer(), targets.writer(), namespaces.writer()];
    view = createObjectView<Reference>(({ namespace, name }) => references.get(namespace, name));
    called = [];
    watchForReferences({
      references,
      targets,
      namespaces,
      view,
      enqueue: ({ name }, priority = 'high') => called.push(`${name} ${priority}`),
      enqueueMerged: ({ name }) => called.push(`merged ${name}`),
    });
  });

  /** The calls that `change` causes. */
  function callsOf(change: () => void): readonly string[] {
    called.length = 0;
    change();
    return called;
  }

  it('calls a new reference at once, and those of the first list behind it', () => {
    expect(callsOf(() => cachedReferences.put(reference('a')))).toEqual(['a high']);
    expect(callsOf(() => cachedReferences.replace([reference('b')], true))).toContain('b low');
  });

  it('does not call a reference for the status that we wrote ourselves', () => {
    cachedReferences.put(reference('a', { resourceVersion: '1' }));
    const own = reference('a', { resourceVersion: '2' }, { target: target('7') });
    view.wrote(own);
    expect(callsOf(() => cachedReferences.put(own))).toEqual([]);
  });

  it('calls a reference whose status somebody else wrote', () => {
    cachedReferences.put(reference('a', { resourceVersion: '1' }));
    expect(callsOf(() => cachedReferences.put(reference('a', { resourceVersion: '2' })))).toEqual(['a high']);
  });

  it.each([
    ['goes', (old: Reference) => cachedReferences.remove(old)],
    ['is being deleted', () => cachedReferences.put(reference('a', { resourceVersion: '2', deletionTimestamp: 't' }))],
    ['has another spec', () => cachedReferences.put(reference('a', { resourceVersion: '2', generation: 2 }))],
  ])('calls whoever waits for the target, and who takes merged keys back, when a reference %s', (_how, change) => {
    const old = reference('a', { resourceVersion: '1' });
    cachedReferences.put(old);
    cachedReferences.put(reference('b'));
    const calls = callsOf(() => change(old));
    expect(calls).toContain('b high');
    expect(calls).toContain('merged shared');
  });

  it('calls a reference whose sync somebody asks for', () => {
    cachedReferences.put(reference('a', { resourceVersion: '1' }));
    const asked = reference('a', { resourceVersion: '2', annotations: { [annotations.sync]: 'now' } });
    expect(callsOf(() => cachedReferences.put(asked))).toContain('a high');
  });

  it('calls nobody for a Secret that is as the status says', () => {
    cachedReferences.put(reference('a', {}, { target: target('7') }));
    expect(callsOf(() => cachedTargets.put(secret('7')))).toEqual([]);
  });

  it.each([
    ['moved', () => cachedTargets.put(secret('8'))],
    ['is another one of the same name', () => cachedTargets.put(secret('7', { uid: 'other' }))],
    ['is gone, or lost its label', () => cachedTargets.remove(secret('7'))],
  ])('calls the reference of a Secret that %s', (_how, change) => {
    cachedReferences.put(reference('a', {}, { target: target('7') }));
    cachedTargets.put(secret('7'));
    expect(callsOf(change)).toContain('a high');
  });

  it('looks at the marks of a merged Secret', () => {
    const merged = secret('7', { annotations: { [`${annotations.merged}uid-x`]: 'x' } });
    expect(callsOf(() => cachedTargets.put(merged))).toEqual(['merged shared']);
  });

  it('calls the references of a namespace whose labels changed, for nothing else of it', () => {
    const namespace = (resourceVersion: string, labels: Record<string, string>): KubeObject => ({
      metadata: buildMetadata({ name: 'shop', namespace: '', resourceVersion, labels }),
    });
    cachedReferences.put(reference('a'));
    cachedNamespaces.put(namespace('1', {}));
    expect(callsOf(() => cachedNamespaces.put(namespace('2', {})))).toEqual([]);
    expect(callsOf(() => cachedNamespaces.put(namespace('3', { team: 'x' })))).toEqual(['a high']);
  });

  it('calls the references of a manager, and the one that a source names', () => {
    cachedReferences.put(reference('a'));
    cachedReferences.put(reference('b', {}, {}, { managerRef: { name: 'other' } }));
    const enqueue = ({ name }: { name: string }): void => void called.push(name);
    expect(callsOf(() => requeueManager({ references, enqueue }, 'ClusterSecretManager/other'))).toEqual(['b']);
    expect(callsOf(() => requeueSubscriber(enqueue, 'shop/a'))).toEqual(['a']);
  });
});
