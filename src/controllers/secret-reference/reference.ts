import { z } from 'zod';
import { consumerSchema } from '../../api/v1/rollout.ts';
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

const entriesSchema = z.looseObject({ consumers: z.array(z.unknown()).optional() });

/**
 * What another release wrote of consumers may say more than this one understands: such an entry is left out. A status that can't be read at all is not taken
 * for an empty one, which would be written back: versions that are pinned or held back stand in it.
 * @throws ZodError
 */
function parseStatus(raw: unknown): SecretReferenceStatus {
  const { consumers, ...status } = entriesSchema.parse(raw ?? {});
  const known = consumers?.flatMap((entry) => consumerSchema.safeParse(entry).data ?? []);
  return secretReferenceStatusSchema.parse({ ...status, ...(known === undefined ? {} : { consumers: known }) });
}

export function targetName(reference: Reference): string {
  return reference.spec.target.name ?? reference.metadata.name;
}

/** Uid of a reference that merges its keys into a Secret of others; undefined for one that has its target for itself. */
export function mergedBy({ metadata, spec }: Reference): string | undefined {
  return spec.target.ownership === 'Merge' ? metadata.uid : undefined;
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
