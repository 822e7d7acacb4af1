import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isAlreadyExists, isConflict, isForbidden, isInvalid, isNotFound } from '../../src/kube/errors.ts';
import { secrets } from '../../src/kube/resource.ts';
import { failureOf } from '../../src/kube/testing/failure-of.ts';
import { configMaps, connect, type KubeConnection, makeNamespace, never } from './kube-connection.ts';

const cluster = inject('cluster');
const as = (fieldManager: string) => ({ signal: never, fieldManager });

describe('the client, on a real API server,', () => {
  let kube: KubeConnection;
  let namespace: string;

  beforeAll(async () => {
    kube = connect(cluster.kubeconfig);
    namespace = await makeNamespace(kube.client, 'kube-client');
  });
  afterAll(() => kube.transport.close());

  test('creates, reads, patches, lists and deletes', async () => {
    const { client } = kube;
    const name = { namespace, name: 'crud' };

    const created = await client.create(
      configMaps,
      { metadata: { ...name, labels: { test: 'crud' } }, data: { a: '1' } },
      as('keyferry'),
    );
    await client.mergePatch(configMaps, { metadata: name, data: { b: '2' } }, as('keyferry'));
    const read = await client.get(configMaps, name, { signal: never });
    const listed = await client.list(configMaps, { namespace, labelSelector: 'test=crud' }, { signal: never });
    await client.delete(configMaps, name, { signal: never, uid: created.metadata.uid });

    expect(read).toMatchObject({ kind: 'ConfigMap', data: { a: '1', b: '2' } });
    expect(listed.map(({ metadata }) => metadata.name)).toEqual(['crud']);
    expect(isNotFound(await failureOf(client.get(configMaps, name, { signal: never })))).toBe(true);
    await client.delete(configMaps, name, { signal: never, uid: created.metadata.uid });
  });

  test('does not store what a dry run creates', async () => {
    const name = { namespace, name: 'dry' };

    await kube.client.create(configMaps, { metadata: name }, { ...as('keyferry'), dryRun: true });

    expect(isNotFound(await failureOf(kube.client.get(configMaps, name, { signal: never })))).toBe(true);
  });

  test('tells what exists already from what changed meanwhile', async () => {
    const name = { namespace, name: 'versions' };
    const body = { metadata: name, data: { a: '1' } };
    const first = await kube.client.create(configMaps, body, as('keyferry'));
    const { uid, resourceVersion } = first.metadata;
    await kube.client.mergePatch(configMaps, { metadata: name, data: { a: '2' } }, as('other'));
    const stale = { ...body, metadata: { ...name, uid, resourceVersion } };
    const force = { ...as('keyferry'), force: true };

    const again = await failureOf(kube.client.create(configMaps, body, as('keyferry')));
    const errors = await Promise.all([
      failureOf(kube.client.apply(configMaps, stale, force)),
      failureOf(kube.client.mergePatch(configMaps, stale, as('keyferry'))),
      failureOf(kube.client.delete(configMaps, name, { signal: never, uid, resourceVersion })),
    ]);

    expect(isAlreadyExists(again)).toBe(true);
    expect(errors.map(isConflict)).toEqual([true, true, true]);
    expect((await kube.client.get(configMaps, name, { signal: never }))['data']).toEqual({ a: '2' });
  });

  test('writes to no other object that took the name', async () => {
    const name = { namespace, name: 'reborn' };
    const old = await kube.client.create(configMaps, { metadata: name }, as('keyferry'));
    await kube.client.delete(configMaps, name, { signal: never, uid: old.metadata.uid });
    const gone = { metadata: { ...name, ...identity(old.metadata) }, data: { a: '1' } };
    const ofNothing = await failureOf(kube.client.apply(configMaps, gone, { ...as('keyferry'), force: true }));
    await kube.client.create(configMaps, { metadata: name }, as('keyferry'));
    const onlyUid = { metadata: { ...name, uid: old.metadata.uid }, data: { a: '1' } };

    const errors = await Promise.all([
      failureOf(kube.client.apply(configMaps, gone, { ...as('keyferry'), force: true })),
      failureOf(kube.client.apply(configMaps, onlyUid, { ...as('keyferry'), force: true })),
      failureOf(kube.client.delete(configMaps, name, { signal: never, uid: old.metadata.uid })),
    ]);

    expect([ofNothing, ...errors].map(isConflict)).toEqual([true, true, true, true]);
    expect((await kube.client.get(configMaps, name, { signal: never }))['data']).toBeUndefined();
  });

  test('names the owner of a field in conflict, and takes it over by force only', async () => {
    const name = { namespace, name: 'owned' };
    const apply = (manager: string, value: string, force: boolean) => {
      const body = { metadata: name, data: { password: Buffer.from(value).toString('base64') } };
      return kube.client.apply(secrets, body, { ...as(manager), force });
    };
    await apply('somebody', 'canary-1', false);

    const error = await failureOf(apply('keyferry', 'canary-2', false));
    await apply('keyferry', 'canary-2', true);

    expect(isConflict(error)).toBe(true);
    expect(error.causes).toEqual([{ reason: 'FieldManagerConflict', field: '.data.password', manager: 'somebody' }]);
    expect(await kube.client.get(secrets, name, { signal: never })).toMatchObject({
      data: { password: Buffer.from('canary-2').toString('base64') },
    });
  });

  test('keeps secret values out of errors, though the API server quotes them', async () => {
    const body = { metadata: { namespace, name: 'quoted' }, type: 'kubernetes.io/dockerconfigjson' };
    const data = { '.dockerconfigjson': Buffer.from('canary').toString('base64') };
    const attempts = [
      { ...body, data },
      { ...body, data: { '.dockerconfigjson': 'canary, not base64' } },
      { ...body, data: { 'canary key': 'YQ==' }, type: 'Opaque' },
      { ...body, stringData: 'canary' },
    ];

    const errors = await Promise.all(
      attempts.map((attempt) => failureOf(kube.client.create(secrets, attempt, as('keyferry')))),
    );

    expect(errors.some(isInvalid)).toBe(true);
    expect(errors.map(({ stack, causes }) => JSON.stringify([stack, causes])).join('\n')).not.toMatch(
      /canary,|Y2FuYXJ5/,
    );
  });

  test('lists more than a page, over few connections', async () => {
    const { client } = kube;
    await Promise.all(
      Array.from({ length: 520 }, (_, index) =>
        client.apply(
          configMaps,
          { metadata: { namespace, name: `page-${String(index)}`, labels: { test: 'pages' } } },
          { ...as('keyferry'), force: true },
        ),
      ),
    );
    const before = kube.requests.length;

    const items = await client.list(configMaps, { namespace, labelSelector: 'test=pages' }, { signal: never });

    expect(new Set(items.map(({ metadata }) => metadata.uid)).size).toBe(520);
    expect(kube.requests.length - before).toBe(2);
  });

  test('does only what an impersonated user may', async () => {
    const jane = connect(cluster.kubeconfig, { impersonate: { user: 'jane' } });

    const error = await failureOf(jane.client.get(configMaps, { namespace, name: 'crud' }, { signal: never }));
    await jane.transport.close();

    expect(isForbidden(error)).toBe(true);
    expect(error.message).toContain('User "jane" cannot get resource "configmaps"');
  });

  test('talks to no server whose certificate it can not verify', async () => {
    const credentials = async () => ({ ...(await kube.server.credentials()), tls: {} });
    const stranger = connect(cluster.kubeconfig, { server: { ...kube.server, credentials } });

    const error = await failureOf(
      stranger.client.create(configMaps, { metadata: { namespace, name: 'x' } }, as('keyferry')),
    );
    await stranger.transport.close();

    expect(error.message).toMatch(/ConnectionFailed: \w*(SELF_SIGNED|UNABLE_TO)/);
    expect(error.mayHaveTakenEffect).toBe(false);
  });
});

function identity(metadata: { uid: string; resourceVersion: string }): { uid: string; resourceVersion: string } {
  return { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
}
