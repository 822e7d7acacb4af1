import { annotations, labels } from '../../api/v1/names.ts';
import type { Consumer, VersionSet } from '../../api/v1/rollout.ts';
import { secretReferenceSpecSchema, type SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import type { Workload, Workloads } from '../rollout/workload.ts';
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

/** A Deployment that has the Secret `api-db` in its environment and was never rolled out by us. */
export function buildWorkload(
  overrides: Partial<Omit<Workload, 'metadata'>> & { metadata?: Partial<ObjectMeta> } = {},
): Workload {
  return {
    kind: 'Deployment',
    uses: new Map([['api-db', ['env']]]),
    markers: new Map(),
    markedAt: undefined,
    choice: undefined,
    progress: { state: 'Complete' },
    updates: 'Rolling',
    template: 'tttttttt',
    selector: {},
    ...overrides,
    metadata: buildMetadata({ name: 'api', uid: 'workload-uid', ...overrides.metadata }),
  };
}

/** What a cache would know if there were these. */
export function buildWorkloads(...all: readonly Workload[]): Workloads {
  return {
    get: (kind, namespace, name) =>
      all.find(
        ({ kind: other, metadata }) => other === kind && metadata.namespace === namespace && metadata.name === name,
      ),
    usersOf: (namespace, secret) =>
      all.filter(({ metadata, uses }) => metadata.namespace === namespace && uses.has(secret)),
    onChange: () => undefined,
  };
}

/** The entry of `buildWorkload()` in a ledger. */
export function buildConsumer(overrides: Partial<Consumer> = {}): Consumer {
  return {
    kind: 'Deployment',
    name: 'api',
    uid: 'workload-uid',
    uses: ['env'],
    state: 'Complete',
    content: '1:aaaa',
    ...overrides,
  };
}

/** One version of `db.password`: `v1` with the content `1:aaaa`. */
export function buildVersionSet(overrides: Partial<VersionSet> = {}): VersionSet {
  const version = { manager: 'ClusterSecretManager/default', secret: 'db.password', requested: 'latest' };
  return {
    content: '1:aaaa',
    inputs: '1:aaaa',
    summary: 'db.password@v1',
    versions: [{ ...version, version: 'v1', identity: 'v1@abc' }],
    ...overrides,
  };
}
