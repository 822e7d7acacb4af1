import { describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createStore } from '../../kube/store.ts';
import { ManagerError } from '../../managers/errors.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createObjectView } from '../object-view.ts';
import { base64, buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { createFakeSource, directoryOf, known, versionOf } from '../testing/fake-source.ts';
import { createRecordingClient, type RecordedCall } from '../testing/recording-client.ts';
import { createKnownContents } from './known-contents.ts';
import { type ReferenceScope, reconcileReference } from './reconcile.ts';
import { type Reference, referenceIndexes } from './reference.ts';
import { createSubscriptions } from './subscriptions.ts';

const signal = new AbortController().signal;
const topic = { kind: 'value', secret: 'db.password', selector: { kind: 'latest' } } as const;
const written = {
  target: { name: 'api-db', uid: 'secret-uid', resourceVersion: '7', ownership: 'Owner', inputs: '1:aaaa' },
} as const;

/** One reference whose Secret holds `one`, and a source that says `two`. */
function setup(onRead: () => void = () => undefined) {
  const source = createFakeSource();
  source.set(topic, known(versionOf('two', 'v2')));
  const reference = buildReference({ status: { ...written, observedGeneration: 1 } });
  const references = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
  references.writer().put(reference);
  const targets = createStore<KubeObject>({ logger: silentLogger });
  targets.writer().put(buildOwnedSecret());
  const client = createRecordingClient(({ verb, object }: RecordedCall) => {
    if (verb === 'get') onRead();
    return object.startsWith('secrets/') ? buildOwnedSecret() : reference;
  });
  const managers = directoryOf(source);
  const scope: ReferenceScope = {
    client,
    view: createObjectView<Reference>(({ namespace, name }) => references.get(namespace, name)),
    contents: createKnownContents(),
    references,
    targets,
    managers,
    subscriptions: createSubscriptions(managers, () => undefined),
    namespaceLabels: () => ({}),
    trustedLabels: new Set(),
    closedNamespaces: new Set(['kube-system']),
    rollouts: undefined,
    events: { record: () => undefined, run: () => Promise.resolve(), dropped: 0 },
    audit: undefined,
    clock: createFakeClock(),
  };
  const reconcile = () => reconcileReference(scope, { namespace: 'shop', name: 'api-db' }, signal);
  const writes = () => client.calls.filter(({ verb, object }) => verb !== 'get' && object.startsWith('secrets/'));
  return { source, scope, reconcile, writes };
}

describe('a target that this process did not write', () => {
  it('S10: is replaced only after the managers were asked again', async () => {
    const { source, reconcile, writes } = setup();
    source.refreshed = 'pending';
    expect(await reconcile()).toMatchObject({ requeueAfter: expect.any(Number) });
    expect(writes()).toEqual([]);
    source.refreshed = 'done';
    await reconcile();
    expect(writes()).toMatchObject([{ verb: 'apply', body: { data: { password: base64('two') } } }]);
  });

  it('S10: is not replaced by an answer that was overtaken while the target was read', async () => {
    const { source, reconcile, writes } = setup(() => source.set(topic, known(versionOf('three', 'v3'))));
    await reconcile();
    expect(writes()).toEqual([]);
    await reconcile();
    expect(writes()).toMatchObject([{ body: { data: { password: base64('three') } } }]);
  });

  it('S10: is not replaced while the manager can not be asked', async () => {
    const { source, reconcile, writes } = setup();
    const trouble = { error: new ManagerError('ManagerUnavailable', 'away'), since: 0, tries: 1, stale: false };
    source.set(topic, known(versionOf('two', 'v2'), trouble));
    await reconcile();
    expect(writes()).toEqual([]);
  });
});

describe('a target that this process wrote', () => {
  it('follows a new version at once', async () => {
    const { source, scope, reconcile, writes } = setup();
    source.refreshed = 'pending';
    scope.contents.note('shop/api-db', buildOwnedSecret().metadata.annotations[annotations.content]);
    await reconcile();
    expect(writes()).toHaveLength(1);
  });
});

describe('a namespace that is closed', () => {
  it('security rule 10: gets no target, whatever the managers grant', async () => {
    const { source, scope, writes } = setup();
    const closed = buildReference({ metadata: { namespace: 'kube-system', uid: 'uid-9' } });
    scope.references.writer().put(closed);
    await reconcileReference(scope, { namespace: 'kube-system', name: 'api-db' }, signal);
    expect(writes()).toEqual([]);
    expect(source.subscribed.size).toBe(0);
  });
});
