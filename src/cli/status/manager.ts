import {
  type ClusterSecretManagerSpec,
  clusterSecretManagerSpecSchema,
  type ManagerStatus,
  managerStatusSchema,
  type SecretManagerSpec,
  secretManagerSpecSchema,
} from '../../api/v1/secret-manager.ts';
import { conditionOf } from '../../api/v1/conditions.ts';
import type { ManagerRef } from '../../api/v1/secret-reference.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';

/** A manager object as the command reads it. */
export type ManagerView = KubeObject & { readonly status: ManagerStatus } & (
    | { readonly kind: 'ClusterSecretManager'; readonly spec: ClusterSecretManagerSpec }
    | { readonly kind: 'SecretManager'; readonly spec: SecretManagerSpec }
  );

/** Undefined for one that this release does not understand. */
export function toManagerView(kind: ManagerRef['kind'], raw: RawObject): ManagerView | undefined {
  const common = { metadata: raw.metadata, status: managerStatusSchema.safeParse(raw['status'] ?? {}).data ?? {} };
  if (kind === 'ClusterSecretManager') {
    const spec = clusterSecretManagerSpecSchema.safeParse(raw['spec']).data;
    return spec === undefined ? undefined : { ...common, kind, spec };
  }
  const spec = secretManagerSpecSchema.safeParse(raw['spec']).data;
  return spec === undefined ? undefined : { ...common, kind, spec };
}

/** `ClusterSecretManager default`, `SecretManager shop/own`. */
function managerLabel({ kind, metadata }: ManagerView): string {
  return `${kind} ${metadata.namespace === '' ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

export interface ManagerTrouble {
  readonly manager: string;
  readonly reason: string;
  readonly message: string;
  readonly since: string | undefined;
}

/** Why a manager is not Ready; undefined for one that is. */
export function troubleOf(manager: ManagerView): ManagerTrouble | undefined {
  const ready = conditionOf(manager.status, 'Ready');
  if (ready?.status === 'True') return undefined;
  const { reason = 'NotSeen', message = 'the operator has not looked at it yet', lastTransitionTime } = ready ?? {};
  return { manager: managerLabel(manager), reason, message, since: lastTransitionTime };
}

/** Whether a manager of the whole cluster does not work, by what the operator says. One that it has not looked at is not down. */
export function isDown({ kind, status }: ManagerView): boolean {
  return kind === 'ClusterSecretManager' && conditionOf(status, 'Ready')?.status === 'False';
}
