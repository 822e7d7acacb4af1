import { describe, expect, it } from 'vitest';
import { isConflict, isNotFound, KubeError } from './errors.ts';
import { subjectOf } from './path.ts';
import { namespaces, type Resource, secrets, subjectAccessReviews } from './resource.ts';
import { createKubeClient } from './rest-client.ts';
import { failureOf } from './testing/failure-of.ts';
import { createFakeTransport } from './testing/fake-transport.ts';

const leases: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
const signal = new AbortController().signal;
const object = { metadata: { name: 'a', namespace: 'shop', uid: 'u', resourceVersion: '7' }, extra: { kept: true } };
const body = { metadata: { name: 'a', namespace: 'shop' }, spec: { holderIdentity: 'x' } };

function setUp(...answers: unknown[]) {
  const transport = createFakeTransport();
  transport.script(...answers);
  return { transport, client: createKubeClient(transport) };
}

function refusal(status: number, reason = '', field?: string): KubeError {
  const causes = field === undefined ? [] : [{ reason: 'FieldValueInvalid', field, manager: '' }];
  return new KubeError({ subject: subjectOf('apply', secrets), status, reason, causes });
}

describe('the client', () => {
  it('gets an object with all its fields', async () => {
    const { client, transport } = setUp(object);

    const found = await client.get(leases, { namespace: 'shop', name: 'a' }, { signal, deadline: 5 });

    expect(found).toMatchObject(object);
    expect(found.metadata.labels).toEqual({});
    expect(transport.calls).toMatchObject([
      { method: 'GET', path: '/apis/coordination.k8s.io/v1/namespaces/shop/leases/a', signal, deadline: 5 },
    ]);
  });

  it('finds cluster-scoped objects and those of the core group', async () => {
    const { client, transport } = setUp(object, object);

    await client.get(namespaces, { namespace: '', name: 'a' }, { signal });
    await client.get(secrets, { namespace: 'shop', name: 'a' }, { signal });

    expect(transport.calls.map((call) => call.path)).toEqual([
      '/api/v1/namespaces/a',
      '/api/v1/namespaces/shop/secrets/a',
    ]);
  });

  it('asks for metadata alone where nothing else is wanted', async () => {
    const { client, transport } = setUp(object, object);

    await client.get(secrets, { namespace: 'shop', name: 'a' }, { signal, metadataOnly: true });
    await client.get(secrets, { namespace: 'shop', name: 'a' }, { signal });

    expect(transport.calls.map((call) => call.accept)).toEqual([
      'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      undefined,
    ]);
  });

  it('creates in the collection, as a field manager', async () => {
    const { client, transport } = setUp(object);

    await client.create(leases, body, { signal, fieldManager: 'keyferry' });

    expect(transport.calls).toMatchObject([
      {
        method: 'POST',
        path: '/apis/coordination.k8s.io/v1/namespaces/shop/leases?fieldManager=keyferry',
        body: { ...body, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      },
    ]);
  });

  it('takes the answer of a dry run, which has no resource version', async () => {
    const { client, transport } = setUp({ metadata: { name: 'a' } });

    const answer = await client.create(leases, body, { signal, fieldManager: 'keyferry', dryRun: true });

    expect(answer.metadata).toMatchObject({ name: 'a', uid: '', resourceVersion: '' });
    expect(transport.calls[0]?.path).toContain('?fieldManager=keyferry&dryRun=All');
  });

  it('applies with and without force, and to the status', async () => {
    const { client, transport } = setUp(object, object);

    await client.apply(leases, body, { signal, fieldManager: 'k', force: true });
    await client.apply(leases, body, { signal, fieldManager: 'k', force: false, subresource: 'status' });

    const path = '/apis/coordination.k8s.io/v1/namespaces/shop/leases/a';
    expect(transport.calls).toMatchObject([
      { method: 'PATCH', path: `${path}?fieldManager=k&force=true`, contentType: 'application/apply-patch+yaml' },
      { method: 'PATCH', path: `${path}/status?fieldManager=k`, contentType: 'application/apply-patch+yaml' },
    ]);
  });

  it('calls it a conflict when the uid that an apply presumes is not the uid of the object', async () => {
    const { client } = setUp(refusal(422, 'Invalid', 'metadata.uid'), refusal(422, 'Invalid', 'data'));
    const options = { signal, fieldManager: 'k', force: false };

    const otherUid = await failureOf(client.apply(secrets, body, options));
    const invalid = await failureOf(client.apply(secrets, body, options));

    expect(isConflict(otherUid)).toBe(true);
    expect(invalid.status).toBe(422);
  });

  it('merges a patch', async () => {
    const { client, transport } = setUp(object);

    await client.mergePatch(leases, body, { signal, fieldManager: 'k' });

    expect(transport.calls).toMatchObject([{ method: 'PATCH', contentType: 'application/merge-patch+json' }]);
  });

  it('posts a review, which has no name, and gives its status', async () => {
    const { client, transport } = setUp({ kind: 'SubjectAccessReview', metadata: {}, status: { allowed: true } });

    const status = await client.review(subjectAccessReviews, { user: 'ada' }, { signal });

    expect(status).toEqual({ allowed: true });
    expect(transport.calls).toMatchObject([
      {
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user: 'ada' } },
      },
    ]);
  });

  it('deletes on condition of uid and version', async () => {
    const { client, transport } = setUp({ kind: 'Status' });

    await client.delete(secrets, { namespace: 'shop', name: 'a' }, { signal, uid: 'u', resourceVersion: '7' });

    expect(transport.calls).toMatchObject([
      {
        method: 'DELETE',
        path: '/api/v1/namespaces/shop/secrets/a',
        body: { kind: 'DeleteOptions', preconditions: { uid: 'u', resourceVersion: '7' } },
      },
    ]);
  });

  it('is content where what it deletes is gone, and with no other failure', async () => {
    const { client } = setUp(refusal(404), refusal(409, 'Conflict'));
    const name = { namespace: 'shop', name: 'a' };

    await expect(client.delete(secrets, name, { signal, uid: 'u' })).resolves.toBeUndefined();
    expect(isConflict(await failureOf(client.delete(secrets, name, { signal, uid: 'u' })))).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', 'a%2fb'])('refuses the name "%s", which would lead to another path', async (name) => {
    const { client, transport } = setUp();

    const errors = await Promise.all([
      failureOf(client.delete(secrets, { namespace: 'shop', name }, { signal, uid: 'u' })),
      failureOf(client.create(secrets, { metadata: { name, namespace: 'shop' } }, { signal, fieldManager: 'k' })),
      failureOf(client.get(namespaces, { namespace: '', name }, { signal })),
    ]);

    expect(errors.map((error) => error.reason)).toEqual(['InvalidRequest', 'InvalidRequest', 'InvalidRequest']);
    expect(transport.calls).toEqual([]);
  });

  it('refuses a namespaced object without a namespace', async () => {
    const { client } = setUp();

    const error = await failureOf(client.get(secrets, { namespace: '', name: 'a' }, { signal }));

    expect(error.message).toContain('the namespace is missing');
  });

  it('lists all pages', async () => {
    const { client, transport } = setUp(
      { metadata: { continue: 'more' }, items: [object] },
      { metadata: {}, items: [object, object] },
    );

    const items = await client.list(secrets, { namespace: 'shop', labelSelector: 'a=b' }, { signal });

    expect(items).toHaveLength(3);
    expect(transport.calls.map((call) => call.path)).toEqual([
      '/api/v1/namespaces/shop/secrets?labelSelector=a%3Db&limit=500',
      '/api/v1/namespaces/shop/secrets?labelSelector=a%3Db&limit=500&continue=more',
    ]);
  });

  it('takes an empty list that has null for its items', async () => {
    const { client } = setUp({ metadata: {}, items: null });

    expect(await client.list(secrets, {}, { signal })).toEqual([]);
  });

  it('starts a list again whose pages became too old', async () => {
    const { client } = setUp({ metadata: { continue: 'more' }, items: [object] }, refusal(410), {
      metadata: {},
      items: [object, object],
    });

    expect(await client.list(secrets, {}, { signal })).toHaveLength(2);
  });

  it('refuses an answer that is no object, without quoting it', async () => {
    const { client } = setUp({ data: 'canary' }, { metadata: {}, items: ['canary'] });

    const got = await failureOf(client.get(secrets, { namespace: 'shop', name: 'a' }, { signal }));
    const listed = await failureOf(client.list(secrets, {}, { signal }));

    expect([got.reason, listed.reason]).toEqual(['InvalidResponse', 'InvalidResponse']);
    expect(`${got.stack ?? ''}${listed.stack ?? ''}`).not.toContain('canary');
  });

  it('passes failures on', async () => {
    const { client } = setUp(refusal(404, 'NotFound'));

    expect(isNotFound(await failureOf(client.get(secrets, { namespace: 'shop', name: 'a' }, { signal })))).toBe(true);
  });
});
