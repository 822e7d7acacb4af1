import type { z } from 'zod';
import {
  type ManagerRef,
  type SecretReferenceSpec,
  type SecretReferenceStatus,
  secretReferenceSpecSchema,
  secretReferenceStatusSchema,
} from '../../api/v1/secret-reference.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { managerKey } from '../manager-key.ts';
import { pickMetadata } from '../metadata.ts';

/** A `SecretReference` as the caches hold it. */
export interface Reference extends KubeObject {
  readonly spec: SecretReferenceSpec;
  readonly status: SecretReferenceStatus;
}

/** @throws ZodError for an object that the CRD would refuse: the caller names the object and skips it. */
export function toReference(raw: RawObject): Reference {
  return {
    metadata: pickMetadata(raw.metadata, ['keyferry.io/']),
    spec: secretReferenceSpecSchema.parse(raw['spec']),
    status: parseStatus(raw['status']),
  };
}

/** A status that can't be read is one that was never written: it is rebuilt from the spec and the target. */
function parseStatus(raw: unknown): SecretReferenceStatus {
  const parsed: z.ZodSafeParseResult<SecretReferenceStatus> = secretReferenceStatusSchema.safeParse(raw ?? {});
  return parsed.success ? parsed.data : {};
}

export function targetName(reference: Reference): string {
  return reference.spec.target.name ?? reference.metadata.name;
}

/** The keys of all managers that a reference names, each once. */
function managersOf(reference: Reference): readonly string[] {
  const { spec, metadata } = reference;
  const entries = [...Object.values(spec.data ?? {}), ...(spec.dataFrom ?? [])];
  const refs = entries.map((entry): ManagerRef => entry.managerRef ?? spec.managerRef);
  return [...new Set(refs.map((ref) => managerKey(ref, metadata.namespace)))];
}

/** Indexes of the store of references. */
export const referenceIndexes = {
  manager: managersOf,
  target: (reference: Reference): readonly string[] => [`${reference.metadata.namespace}/${targetName(reference)}`],
  namespace: (reference: Reference): readonly string[] => [reference.metadata.namespace],
  uid: (reference: Reference): readonly string[] => [reference.metadata.uid],
  listed: ({ metadata, spec }: Reference): readonly string[] =>
    (spec.rollout.workloads ?? []).map(({ kind, name }) => `${metadata.namespace}/${kind}/${name}`),
  consumer: ({ status }: Reference): readonly string[] => (status.consumers ?? []).map((consumer) => consumer.uid),
} as const;
