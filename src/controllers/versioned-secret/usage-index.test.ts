import { beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../kube/store.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { type Reference, referenceIndexes } from '../secret-reference/reference.ts';
import { buildReference } from '../testing/builders.ts';
import { createUsageIndex, type UsageIndex } from './usage-index.ts';

let store: Store<Reference>;
let index: UsageIndex;
let told: string[];
let home: string | undefined;
let version = 1;

function put(name: string, secret: string): Reference {
  version += 1;
  const metadata = { name, uid: name, resourceVersion: `${version}` };
  const holds = { secret, manager: 'ClusterSecretManager/default', requested: 'latest', version: '1', identity: '' };
  const status = { versions: [{ ...holds, keys: ['a'], since: '' }] };
  const reference = buildReference({ metadata, spec: { data: { a: { secret } } }, status });
  writer.put(reference);
  return reference;
}

let writer: ReturnType<Store<Reference>['writer']>;

beforeEach(() => {
  told = [];
  home = undefined;
  store = createStore<Reference>({ logger: createRecordingLogger(), indexes: referenceIndexes });
  writer = store.writer();
  index = createUsageIndex(
    store,
    (_ref, namespace) => home ?? namespace,
    (secret) => told.push(secret),
  );
});

const users = (secret: string, namespace = 'shop') =>
  index.usesOf(namespace, secret).map(({ reference }) => reference.metadata.name);

describe('the index of who uses which secret', () => {
  it('knows all references of a secret, in whatever case they write it', () => {
    put('a', 'db.password');
    put('b', 'DB.PASSWORD');
    put('c', 'other');
    expect(users('db.password')).toEqual(['a', 'b']);
    expect(users('db.password', 'elsewhere')).toEqual([]);
  });

  it('follows a reference that wants another secret, and tells both secrets', () => {
    put('a', 'one');
    told = [];
    put('a', 'two');
    expect([users('one'), users('two')]).toEqual([[], ['a']]);
    expect(told).toEqual(['shop/one', 'shop/two']);
  });

  it('forgets a reference that is gone, and tells its secret', () => {
    const reference = put('a', 'one');
    told = [];
    writer.remove(reference);
    expect(users('one')).toEqual([]);
    expect(told).toEqual(['shop/one']);
  });

  it('follows a manager that keeps its secrets elsewhere from now on', () => {
    put('a', 'one');
    home = 'org';
    index.rebuild();
    expect([users('one'), users('one', 'org')]).toEqual([[], ['a']]);
  });
});
