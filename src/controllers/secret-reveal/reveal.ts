import { type SecretRevealSpec, secretRevealSpecSchema, secretRevealStatusSchema } from '../../api/v1/secret-reveal.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { pickMetadata } from '../metadata.ts';

/** A `SecretReveal` as the cache holds it: without what was answered. */
export interface Reveal extends KubeObject {
  /** Undefined where it can't be read: it is deleted in time like all others. */
  readonly spec: SecretRevealSpec | undefined;
  /** Whether something was said to it: it is said once. */
  readonly settled: boolean;
}

export function toReveal(raw: RawObject): Reveal {
  const status = secretRevealStatusSchema.safeParse(raw['status'] ?? {}).data;
  return {
    metadata: pickMetadata(raw.metadata, []),
    spec: secretRevealSpecSchema.safeParse(raw['spec']).data,
    // A status that can't be read is somebody's answer.
    settled: status === undefined || status.state !== undefined,
  };
}
