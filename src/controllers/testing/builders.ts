import { annotations, labels } from '../../api/v1/names.ts';
import { secretReferenceSpecSchema, type SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import { type ExistingSecret, fieldManagerOf } from '../secret-reference/target-secret.ts';
import type { Reference } from '../secret-reference/reference.ts';

/** Objects for unit tests: whole and valid, differing in what a test is about. */
export function buildMetadata(overrides: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    name: 'api-db',
    namespace: 'shop',
    uid: 'uid-1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    ownerReferences: [],
    ...overrides,
  };
}

export function buildReference(
  overrides: { metadata?: Partial<ObjectMeta>; spec?: object; status?: SecretReferenceStatus } = {},
): Reference {
  return {
    metadata: buildMetadata(overrides.metadata),
    spec: secretReferenceSpecSchema.parse({ data: { password: { secret: 'db.password' } }, ...overrides.spec }),
    status: overrides.status ?? {},
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A Secret that the reference `uid-1` owns and wrote. */
export function buildOwnedSecret(
  overrides: Partial<Omit<ExistingSecret, 'metadata'>> & { metadata?: Partial<ExistingSecret['metadata']> } = {},
): ExistingSecret {
  return {
    type: 'Opaque',
    immutable: false,
    data: { password: base64('one') },
    ...overrides,
    metadata: {
      ...buildMetadata({ name: 'api-db', uid: 'secret-uid', resourceVersion: '7' }),
      labels: { [labels.target]: 'owned' },
      annotations: {
        [annotations.reference]: 'shop/api-db',
        [annotations.referenceUid]: 'uid-1',
        [annotations.versions]: 'db.password@v1',
        [annotations.content]: '1:aaaa',
        [annotations.previous]: '',
      },
      ownerReferences: [
        { apiVersion: 'keyferry.io/v1', kind: 'SecretReference', name: 'api-db', uid: 'uid-1', controller: true },
      ],
      managedFields: [{ manager: fieldManagerOf('uid-1'), fieldsV1: {} }],
      ...overrides.metadata,
    },
  };
}
