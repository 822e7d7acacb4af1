import type { KubeBody } from '../../kube/client.ts';
import { type DesiredTarget, ownerReference } from './desired-target.ts';
import type { ExistingSecret } from './target-secret.ts';

/** What to do about a target that exists: decided from what was read, before anything is written. */
export type TargetPlan =
  | { readonly action: 'none' }
  | { readonly action: 'conflict'; readonly message: string }
  | {
      readonly action: 'write';
      readonly bytesChange: boolean;
      /** A merge patch that goes first: an apply alone would leave these parts. */
      readonly remove: KubeBody | undefined;
      readonly apply: KubeBody;
    };

export type Precondition = Readonly<Record<'uid' | 'resourceVersion', string>>;

/** What a write of an existing target carries, so that it is a 409 where the decision was made on something else. */
export function pinned(existing: ExistingSecret): Precondition {
  return { uid: existing.metadata.uid, resourceVersion: existing.metadata.resourceVersion };
}

/** Everything that the reference says of the target. */
export function targetBody(
  desired: DesiredTarget,
  annotations: Readonly<Record<string, string>>,
  precondition?: Precondition,
): KubeBody {
  return {
    metadata: {
      name: desired.name,
      namespace: desired.namespace,
      ...precondition,
      labels: desired.labels,
      annotations,
      ...(desired.ownership === 'Owner' ? { ownerReferences: [ownerReference(desired.reference)] } : {}),
    },
    ...(desired.ownership === 'Merge' ? {} : { type: desired.type }),
    data: desired.data,
  };
}

/** `null` for each name that is not wanted: a merge patch removes it. */
export function absent(names: readonly string[], wanted: Readonly<Record<string, string>>): Record<string, null> {
  return Object.fromEntries(names.filter((name) => !Object.hasOwn(wanted, name)).map((name) => [name, null]));
}

export function isSubset(part: Readonly<Record<string, string>>, whole: Readonly<Record<string, string>>): boolean {
  return Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && whole[name] === value);
}

/** True where the bytes that this reference answers for are not what they should be. */
export function differs(desired: DesiredTarget, existing: ExistingSecret): boolean {
  if (!isSubset(desired.data, existing.data)) return true;
  return desired.ownership !== 'Merge' && Object.keys(existing.data).length !== Object.keys(desired.data).length;
}
