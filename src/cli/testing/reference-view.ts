import { secretReferenceSpecSchema, secretReferenceStatusSchema } from '../../api/v1/secret-reference.ts';
import { objectMetaSchema } from '../../kube/object.ts';
import type { ReferenceView } from '../status/reference.ts';

export const since = '2026-01-01T00:00:00Z';

export function condition(type: string, status: 'True' | 'False', reason: string, message = '') {
  return { type, status, reason, message, observedGeneration: 1, lastTransitionTime: since };
}

/** A reference of namespace shop that is Synced, unless said otherwise. */
export function referenceView(
  given: {
    readonly name?: string;
    readonly spec?: object;
    readonly status?: object;
    readonly generation?: number;
  } = {},
): ReferenceView {
  const { name = 'api-db', spec = {}, status = {}, generation = 1 } = given;
  return {
    metadata: objectMetaSchema.parse({ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1', generation }),
    spec: secretReferenceSpecSchema.parse({ data: { password: { secret: 'db.password' } }, ...spec }),
    status: secretReferenceStatusSchema.parse({ conditions: [condition('Ready', 'True', 'Synced')], ...status }),
  };
}

/** A version of db.password that a Secret holds. */
export function held(version: string, manager = 'ClusterSecretManager/default') {
  return { manager, secret: 'db.password', requested: 'latest', version, identity: 'i', keys: ['password'], since };
}
