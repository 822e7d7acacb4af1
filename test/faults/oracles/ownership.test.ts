import { describe, expect, it } from 'vitest';
import type { History } from '../history.ts';
import { historyOf, referenceWith, requestOf, secretWith, versionOf } from '../testing/histories.ts';
import { ownership } from './ownership.ts';

function finds(parts: Partial<History>): number {
  return ownership(historyOf(parts)).length;
}

const reference = referenceWith({ one: { secret: 'a' } });
const pin = { uid: 'u', resourceVersion: '1' };

describe('S7', () => {
  it('wants every write to say which object and which version of it is meant', () => {
    expect(finds({ requests: [requestOf({ body: { metadata: pin } })] })).toBe(0);
    expect(finds({ requests: [requestOf({ body: { metadata: { uid: 'u' } } })] })).toBe(1);
    expect(finds({ requests: [requestOf({ body: { metadata: { resourceVersion: '1' } } })] })).toBe(1);
    const status = { resource: 'secretreferences', subresource: 'status' };
    expect(finds({ requests: [requestOf({ ...status, body: { metadata: {} } })] })).toBe(1);
    expect(finds({ requests: [requestOf({ resource: 'leases', body: { metadata: {} } })] })).toBe(0);
  });

  it('wants the same of a deletion', () => {
    expect(finds({ requests: [requestOf({ verb: 'delete', body: { preconditions: pin } })] })).toBe(0);
    expect(finds({ requests: [requestOf({ verb: 'delete', body: { preconditions: { uid: 'u' } } })] })).toBe(1);
  });

  it('sees a Secret that names a reference that there never was, or by another name', () => {
    expect(finds({ objects: [reference, secretWith({ one: '1' })] })).toBe(0);
    expect(finds({ objects: [secretWith({ one: '1' })] })).toBe(1);
    const otherName = secretWith({ one: '1' }, { annotations: { 'keyferry.io/reference': 'shop/other' } });
    expect(finds({ objects: [reference, otherName] })).toBe(1);
  });

  it('sees an owner of the same name and another uid', () => {
    const owner = { kind: 'SecretReference', name: 'app', uid: 'ref-0' };
    expect(finds({ objects: [reference, secretWith({ one: '1' }, { owners: [owner] })] })).toBe(1);
    expect(finds({ objects: [reference, secretWith({ one: '1' }, { owners: [{ ...owner, uid: 'ref-1' }] })] })).toBe(0);
  });

  it('sees a Secret change hands, unless it consents', () => {
    const theirs = versionOf({ revision: 1 });
    const ours = secretWith({ one: '1' }, { revision: 2 });
    expect(finds({ objects: [reference, theirs, ours] })).toBe(1);
    const consenting = versionOf({ revision: 1, annotations: { 'keyferry.io/adopt': 'true' } });
    expect(finds({ objects: [reference, consenting, ours] })).toBe(0);
    const old = secretWith({ one: '1' }, { annotations: { 'keyferry.io/reference-uid': 'ref-0' } });
    const before = referenceWith({ one: { secret: 'a' } }, { uid: 'ref-0' });
    expect(finds({ objects: [before, reference, old, ours] })).toBe(1);
  });

  it('lets nothing but markers be written into a workload, and nobody write it but the rollout', () => {
    const body = (annotations: object): ReturnType<typeof requestOf> =>
      requestOf({
        resource: 'deployments',
        fieldManager: 'keyferry-rollout',
        body: { metadata: pin, spec: { template: { metadata: { annotations } } } },
      });
    expect(finds({ requests: [body({ 'keyferry.io/content.app': '1' })] })).toBe(0);
    expect(finds({ requests: [body({ 'kubectl.kubernetes.io/restartedAt': 'now' })] })).toBe(1);
    expect(finds({ requests: [{ ...body({ 'keyferry.io/content.app': '1' }), fieldManager: 'keyferry' }] })).toBe(1);
    expect(
      finds({
        requests: [
          requestOf({
            resource: 'deployments',
            fieldManager: 'keyferry-rollout',
            body: { metadata: pin, spec: { replicas: 1 } },
          }),
        ],
      }),
    ).toBe(1);
  });
});
