import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { KubeError } from './errors.ts';
import { type KubeObject, type RawObject, rawObjectSchema } from './object.ts';
import { subjectOf } from './path.ts';
import { createReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import { secrets } from './resource.ts';
import { createStore, type Store } from './store.ts';
import { createFakeTransport, type FakeTransport, type FakeWatch } from './testing/fake-transport.ts';
import { createRecordingLogger, type RecordingLogger } from './testing/recording-logger.ts';

function raw(name: string, resourceVersion: string, more: Record<string, unknown> = {}) {
  return { metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion, ...more } };
}

function list(resourceVersion: string, ...items: unknown[]) {
  return { kind: 'SecretList', metadata: { resourceVersion }, items };
}

function page(resourceVersion: string, next: string, ...items: unknown[]) {
  return { kind: 'SecretList', metadata: { resourceVersion, continue: next }, items };
}

function bookmark(resourceVersion: string) {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion, creationTimestamp: null } } };
}

function errorEvent(code: number, reason: string) {
  return { type: 'ERROR', object: { kind: 'Status', code, reason } };
}

function refuseBroken({ metadata }: RawObject): KubeObject {
  if (metadata.labels['broken'] !== undefined) {
    throw new TypeError('canary');
  }
  return { metadata };
}

function refusal(status: number, retryAfter?: number): KubeError {
  return new KubeError({ subject: subjectOf('list', secrets), status, reason: '', retryAfter });
}

describe('the reflector', () => {
  let transport: FakeTransport;
  let clock: FakeClock;
  let logger: RecordingLogger;
  let store: Store<KubeObject>;
  let changes: string[];
  let stop: AbortController;
  let reflector: Reflector;
  let running: Promise<void>;

  beforeEach(() => {
    transport = createFakeTransport();
    clock = createFakeClock();
    logger = createRecordingLogger();
    store = createStore({ logger });
    changes = [];
    stop = new AbortController();
    store.onChange(({ type, object, initial }) => {
      const { name, resourceVersion } = object.metadata;
      changes.push(`${type} ${name}@${resourceVersion}${initial ? ' initially' : ''}`);
    });
  });

  afterEach(async () => {
    stop.abort();
    await clock.flush();
    await running;
  });

  async function start(options: Partial<ReflectorOptions<KubeObject>> = {}): Promise<void> {
    reflector = createReflector({
      transport,
      store,
      resource: secrets,
      transform: ({ metadata }) => ({ metadata }),
      clock,
      random: () => 0,
      logger,
      ...options,
    });
    running = reflector.run(stop.signal);
    await clock.flush();
  }

  function watch(index: number): FakeWatch {
    const found = transport.watches[index];
    if (found === undefined) {
      throw new Error(`there is no watch ${String(index)}`);
    }
    return found;
  }

  function paths(): string[] {
    return transport.calls.map((call) => call.path);
  }

  it('lists all pages, then watches from the version of the list', async () => {
    transport.script(page('10', 'next', raw('a', '1')), page('10', '', raw('b', '2')));

    await start({ namespace: 'shop', labelSelector: 'x=y' });

    const collection = '/api/v1/namespaces/shop/secrets';
    expect(paths()).toEqual([
      `${collection}?labelSelector=x%3Dy&limit=500`,
      `${collection}?labelSelector=x%3Dy&limit=500&continue=next`,
    ]);
    expect(watch(0).request.path).toBe(
      `${collection}?labelSelector=x%3Dy&watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=10`,
    );
    expect(changes).toEqual(['added a@1 initially', 'added b@2 initially']);
  });

  it('is synced once the first list is in the store', async () => {
    const lastPage = Promise.withResolvers<unknown>();
    transport.script(page('10', 'next', raw('a', '1')), lastPage.promise);
    await start();
    const synced = reflector.whenSynced(new AbortController().signal);
    const before = reflector.synced;

    lastPage.resolve(page('10', '', raw('b', '2')));

    expect(before).toBe(false);
    expect(await synced).toBe(true);
    expect(store.size).toBe(2);
  });

  it('is synced with a list that is empty, for which the API server says null', async () => {
    transport.script({ kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '10' }, items: null });
    await start({ metadataOnly: true });

    expect(reflector.synced).toBe(true);
  });

  it('follows what happens', async () => {
    transport.script(list('10', raw('a', '1')));
    await start();

    watch(0).send(
      { type: 'ADDED', object: raw('b', '11') },
      { type: 'MODIFIED', object: raw('a', '12') },
      { type: 'DELETED', object: raw('b', '13') },
    );
    await clock.flush();

    expect(changes.slice(1)).toEqual(['added b@11', 'updated a@12', 'deleted b@11']);
  });

  it('goes on from the last event or bookmark when the server ends the watch', async () => {
    transport.script(list('10'));
    await start();
    watch(0).send({ type: 'ADDED', object: raw('a', '11') }, bookmark('20'));
    await clock.advance(300_000);
    watch(0).end();
    await clock.flush();

    expect(watch(1).request.path).toContain('resourceVersion=20');
    expect(transport.calls).toHaveLength(1);
  });

  it('lists again at once when its version became too old, and tells what it missed', async () => {
    transport.script(list('10', raw('a', '1'), raw('b', '2')), list('30', raw('b', '2'), raw('c', '25')));
    await start();
    watch(0).send(bookmark('11'), errorEvent(410, 'Expired'));
    await clock.flush();

    expect(changes.slice(2)).toEqual(['deleted a@1', 'added c@25']);
    expect(watch(1).request.path).toContain('resourceVersion=30');
    expect(watch(0).closed).toBe(true);
  });

  it('does not list in a busy loop when every watch is too old', async () => {
    transport.script(list('10'), list('11'), list('12'));
    transport.refuse(refusal(410), refusal(410), refusal(410));
    await start();
    const atOnce = transport.calls.length;

    await clock.advance(60_000);

    expect(atOnce).toBe(1);
    expect(transport.calls.length).toBeLessThanOrEqual(4);
    expect(transport.watches).toHaveLength(0);
  });

  it('lists in one piece when its pages became too old', async () => {
    transport.script(page('10', 'next', raw('a', '1')), refusal(410), list('12', raw('b', '2')));
    await start();

    expect(paths().at(-1)).toBe('/api/v1/secrets');
    expect(changes).toEqual(['added b@2 initially']);
  });

  it('survives a first list that fails, for ever, ever more slowly', async () => {
    const failures = Array.from({ length: 10 }, () => refusal(500));
    transport.script(...failures, list('10', raw('a', '1')));
    await start();

    await clock.advance(7 * 30_000);

    const waits = logger.records.map(({ fields }) => fields['wait']);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000]);
    expect(store.get('shop', 'a')).toBeDefined();
  });

  it('waits for as long as a busy server asks', async () => {
    transport.script(refusal(429, 20_000), list('10'));
    await start();

    await clock.advance(19_999);
    const before = transport.calls.length;
    await clock.advance(1);

    expect([before, transport.calls.length]).toEqual([1, 2]);
  });

  it.each([
    ['a connection that breaks', (broken: FakeWatch) => broken.fail(new Error('reset'))],
    ['an error of the server', (broken: FakeWatch) => broken.send(errorEvent(500, 'InternalError'))],
  ])('keeps its place through %s', async (_, breakWatch) => {
    transport.script(list('10'));
    await start();
    watch(0).send(bookmark('15'));
    await clock.flush();

    breakWatch(watch(0));
    await clock.advance(500);

    expect(watch(1).request.path).toContain('resourceVersion=15');
    expect(transport.calls).toHaveLength(1);
  });

  it.each([
    ['is no JSON', '{"type":\n'],
    ['is no event', '{"type":"ADDED","object":{}}\n'],
  ])('lists again after a line that %s', async (_, line) => {
    transport.script(list('10', raw('a', '1')), list('12', raw('a', '11')));
    await start();

    watch(0).sendText(line);
    await clock.advance(500);

    expect(changes).toEqual(['added a@1 initially', 'updated a@11']);
    expect(watch(0).closed).toBe(true);
  });

  it('lists again when a watch ends within an event', async () => {
    transport.script(list('10'), list('12', raw('a', '11')));
    await start();

    watch(0).sendText('{"type":"ADDED"');
    watch(0).end();
    await clock.advance(500);

    expect(store.size).toBe(1);
  });

  it('notices a socket that is half open', async () => {
    transport.script(list('10'));
    await start();
    await clock.advance(100_000);
    watch(0).send(bookmark('11'));
    await clock.advance(179_999);
    const before = watch(0).closed;

    await clock.advance(501);

    expect([before, watch(0).closed]).toEqual([false, true]);
    expect(watch(1).request.path).toContain('resourceVersion=11');
    expect(logger.records.at(-1)?.fields['error']).toBe('IdleWatchError: nothing was heard for 180 s');
  });

  it('does not reopen a watch that ends at once in a busy loop', async () => {
    transport.script(list('10'));
    await start();

    watch(0).end();
    await clock.flush();
    const atOnce = transport.watches.length;
    await clock.advance(500);

    expect([atOnce, transport.watches.length]).toEqual([1, 2]);
  });

  it('never goes back in time by a watch', async () => {
    transport.script(list('100', raw('a', '90')), list('110', raw('a', '105')));
    await start();

    watch(0).send({ type: 'MODIFIED', object: raw('a', '89') });
    await clock.advance(500);

    expect(changes).toEqual(['added a@90 initially', 'updated a@105']);
  });

  it('does not believe a list that is older than what it knows, until it is certain', async () => {
    const old = list('50', raw('a', '40'));
    transport.script(list('100', raw('a', '90')), old, old, old, old, old);
    await start();
    watch(0).send(bookmark('101'), errorEvent(410, 'Expired'));
    await clock.advance(7_000);
    const before = [...changes];

    await clock.advance(60_000);

    expect(before).toEqual(['added a@90 initially']);
    expect(changes.slice(1)).toEqual(['updated a@40']);
    expect(watch(1).request.path).toContain('resourceVersion=50');
  });

  it('lists again when the server says that our version is from the future', async () => {
    const causes = [{ reason: 'ResourceVersionTooLarge', field: '', manager: '' }];
    transport.script(list('10'), list('20'));
    transport.refuse(new KubeError({ subject: subjectOf('watch', secrets), status: 504, reason: 'Timeout', causes }));
    await start();

    await clock.advance(500);

    expect(transport.calls).toHaveLength(2);
  });

  it('asks for metadata only, and keeps nothing else even where more comes', async () => {
    transport.script({
      ...list('10', { ...raw('a', '1'), data: { p: 'canary' } }),
      kind: 'PartialObjectMetadataList',
    });
    const seen: RawObject[] = [];
    const transform = (object: RawObject): KubeObject => {
      seen.push(object);
      return object;
    };
    await start({ metadataOnly: true, transform });

    watch(0).send({ type: 'ADDED', object: { ...raw('b', '11'), data: { p: 'canary' } } });
    await clock.flush();

    expect(transport.calls[0]?.accept).toBe('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io');
    expect(watch(0).request.accept).toBe('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
    expect(seen).toHaveLength(2);
    expect(JSON.stringify(seen)).not.toContain('canary');
  });

  it('refuses a whole list where it asked for metadata', async () => {
    transport.script(list('10', raw('a', '1')));
    await start({ metadataOnly: true });

    expect(store.size).toBe(0);
    expect(reflector.synced).toBe(false);
  });

  it("drops managed fields, and kubectl's copy of the object, which holds the values of a Secret", async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'canary', mine: 'kept' };
    transport.script(list('10', raw('a', '1', { annotations, managedFields: [{ manager: 'canary' }] })));
    await start();

    expect(JSON.stringify(store.list())).not.toContain('canary');
    expect(store.get('shop', 'a')?.metadata.annotations).toEqual({ mine: 'kept' });
  });

  it('survives objects that it can not transform, keeps them as they were, and deletes none of them', async () => {
    const broken = { labels: { broken: 'yes' } };
    transport.script(
      list('10', raw('a', '1'), raw('bad', '2', broken)),
      list('30', raw('a', '20', broken), raw('c', '3')),
    );
    await start({ transform: refuseBroken });

    watch(0).send({ type: 'MODIFIED', object: raw('a', '11', broken) }, errorEvent(410, 'Expired'));
    await clock.flush();

    expect(changes).toEqual(['added a@1 initially', 'added c@3']);
    const errors = logger.records.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => fields['name'])).toEqual(['bad', 'a', 'a']);
    expect(JSON.stringify(logger.records)).not.toContain('canary');
  });

  it('stores only what is of interest, and removes what stops being', async () => {
    const dull = { labels: { dull: 'yes' } };
    transport.script(list('10', raw('a', '1'), raw('b', '2', dull), raw('c', '3')), list('30', raw('c', '20', dull)));
    await start({ keep: ({ metadata }) => metadata.labels['dull'] === undefined });

    watch(0).send(
      { type: 'MODIFIED', object: raw('a', '11', dull) },
      { type: 'MODIFIED', object: raw('b', '12') },
      { type: 'ADDED', object: raw('d', '13', dull) },
      { type: 'DELETED', object: raw('d', '14', dull) },
      errorEvent(410, 'Expired'),
    );
    await clock.flush();

    expect(changes).toEqual([
      'added a@1 initially',
      'added c@3 initially',
      'deleted a@1',
      'added b@12',
      'deleted c@3',
      'deleted b@12',
    ]);
  });

  it.each([
    ['unknown to the server', 404, 'An optional kind is not installed in this cluster, so it is not watched'],
    ['forbidden', 403, 'An optional kind may not be read, so it is not watched'],
  ])('is synced without a resource that is %s, says so once, and begins when it is there', async (_, status, says) => {
    transport.script(refusal(status), refusal(status), refusal(status), list('10', raw('a', '1')));
    await start({ mayBeAbsent: true });
    const syncedBefore = reflector.synced;

    await clock.advance(3 * 45_000);

    expect(syncedBefore).toBe(true);
    expect(changes).toEqual(['added a@1']);
    expect(watch(0).request.path).toContain('resourceVersion=10');
    expect(logger.records.map(({ level, message }) => [level, message])).toEqual([['info', says]]);
    // That a kind is not installed must not look like a failure.
    expect(Object.keys(logger.records[0]?.fields ?? {}).includes('error')).toBe(status === 403);
  });

  it('waits for a resource that may be absent while the server does not say so', async () => {
    transport.script(refusal(503), list('10'));
    await start({ mayBeAbsent: true });
    const before = reflector.synced;

    await clock.advance(500);

    expect([before, reflector.synced]).toEqual([false, true]);
  });

  it('forgets the objects of a resource that is gone, but not before the server says so twice', async () => {
    transport.script(list('10', raw('a', '1')), refusal(404), refusal(404));
    await start({ mayBeAbsent: true });
    watch(0).send(bookmark('11'), errorEvent(410, 'Expired'));
    await clock.flush();
    const before = [...changes];

    await clock.advance(45_000);

    expect(before).toEqual(['added a@1 initially']);
    expect(changes.slice(1)).toEqual(['deleted a@1']);
  });

  it('keeps the objects that it may not see any more', async () => {
    transport.script(list('10', raw('a', '1')), ...Array.from({ length: 5 }, () => refusal(403)));
    await start({ mayBeAbsent: true });
    watch(0).send(bookmark('11'), errorEvent(410, 'Expired'));

    await clock.advance(4 * 45_000);

    expect(changes).toEqual(['added a@1 initially']);
  });

  it('takes an object with another uid for another object', async () => {
    transport.script(list('10', raw('a', '1')));
    await start();

    watch(0).send({ type: 'MODIFIED', object: raw('a', '11', { uid: 'other' }) });
    await clock.flush();

    expect(changes.slice(1)).toEqual(['deleted a@1', 'added a@11']);
  });

  it('replaces by a list only what is in its own namespace', async () => {
    const other = store.writer();
    other.put(rawObjectSchema.parse(raw('x', '1', { namespace: 'other' })));
    transport.script(list('10'));
    await start({ namespace: 'shop' });

    expect(store.get('other', 'x')).toBeDefined();
  });

  it('shows life while the server is down', async () => {
    transport.script(...Array.from({ length: 50 }, () => refusal(503)));
    await start();
    await clock.advance(600_000);

    expect(clock.monotonic() - reflector.lastActivity).toBeLessThanOrEqual(30_000);
  });

  it('ends when it is stopped, while it lists, watches or waits', async () => {
    transport.script(list('10'));
    await start();

    stop.abort();
    await running;

    expect(watch(0).closed).toBe(true);
    expect(clock.pending()).toBe(0);
    expect(logger.records).toEqual([]);
  });

  it('ends also when it is stopped at the moment at which it is synced', async () => {
    transport.script(list('10', raw('a', '1')));
    store.onChange(() => stop.abort());

    await start();
    await running;

    expect(clock.pending()).toBe(0);
  });

  it('says that it was not synced where it is stopped before', async () => {
    await start();
    const waiting = reflector.whenSynced(stop.signal);

    stop.abort();

    expect(await waiting).toBe(false);
  });
});
