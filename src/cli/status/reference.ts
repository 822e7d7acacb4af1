import { consumerSchema } from '../../api/v1/rollout.ts';
import {
  type SecretReferenceSpec,
  type SecretReferenceStatus,
  secretReferenceSpecSchema,
  secretReferenceStatusSchema,
} from '../../api/v1/secret-reference.ts';
import { type Condition, conditionOf } from '../../api/v1/conditions.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';

/** A `SecretReference` as the command reads it. */
export interface ReferenceView extends KubeObject {
  readonly spec: SecretReferenceSpec;
  readonly status: SecretReferenceStatus;
}

/** Undefined for one that this release does not understand. What it does not understand of a status counts as not said. */
export function toReferenceView(raw: RawObject): ReferenceView | undefined {
  const spec = secretReferenceSpecSchema.safeParse(raw['spec']).data;
  if (spec === undefined) return undefined;
  const written = isRecord(raw['status']) ? raw['status'] : {};
  const consumers = Array.isArray(written['consumers']) ? written['consumers'] : [];
  const known = consumers.flatMap((entry) => consumerSchema.safeParse(entry).data ?? []);
  const status = secretReferenceStatusSchema.safeParse({ ...written, consumers: known }).data ?? {};
  return { metadata: raw.metadata, spec, status };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `shop/api-db`. */
export function referenceLabel({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The Secret that a reference keeps. */
export function targetOf({ metadata, spec }: ReferenceView): string {
  return spec.target.name ?? metadata.name;
}

/** The condition Ready, where it speaks of the present spec. */
export function presentReady({ metadata, status }: ReferenceView): Condition | undefined {
  const ready = conditionOf(status, 'Ready');
  return ready?.observedGeneration === undefined || ready.observedGeneration === metadata.generation
    ? ready
    : undefined;
}
