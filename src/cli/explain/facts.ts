import type { VersionedSecretSpec, VersionedSecretStatus } from '../../api/v1/versioned-secret.ts';
import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import type { ManagerView } from '../status/manager.ts';
import type { ReferenceView } from '../status/reference.ts';

/** Something that was looked for. */
export type Fact<T> =
  | { readonly state: 'found'; readonly value: T }
  | { readonly state: 'missing' }
  /** The user may not see it, or this release does not understand it. */
  | { readonly state: 'hidden'; readonly why: string };

export interface SecretView extends KubeObject {
  readonly spec: VersionedSecretSpec;
  readonly status: VersionedSecretStatus;
}

/** All that is looked at to explain one reference. It holds no value: of the target, metadata only. */
export interface Facts {
  readonly reference: ReferenceView;
  /** By `kind/name`. */
  readonly managers: ReadonlyMap<string, Fact<ManagerView>>;
  /** Embedded secrets, by `namespace/object`. */
  readonly secrets: ReadonlyMap<string, Fact<SecretView>>;
  /** Labels of the reference's namespace. */
  readonly labels: Fact<Readonly<Record<string, string>>>;
  readonly target: Fact<ObjectMeta>;
}

export type StepName =
  | 'reference'
  | 'manager'
  | 'identity'
  | 'access'
  | 'secret'
  | 'version'
  | 'value'
  | 'target'
  | 'consumers';

/** One thing on the way from the manager to the pods. */
export interface Step {
  readonly step: StepName;
  /** `unknown`: it can't be seen from here. */
  readonly result: 'ok' | 'failed' | 'unknown';
  readonly says: string;
  /** What to do; only where it failed. */
  readonly fix?: string | undefined;
}

export function ok(step: StepName, says: string): Step {
  return { step, result: 'ok', says };
}

export function unknown(step: StepName, says: string): Step {
  return { step, result: 'unknown', says };
}

export function failed(step: StepName, says: string, fix?: string): Step {
  return { step, result: 'failed', says, fix };
}
