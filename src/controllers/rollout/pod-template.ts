import { z } from 'zod';
import { annotations, rolloutFieldManager } from '../../api/v1/names.ts';
import { type Use, uses } from '../../api/v1/rollout.ts';
import { shortHash } from './short-hash.ts';
import type { Marker } from './workload.ts';

/** Our markers in a pod template, and when they were last set. */
export interface TemplateMarkers {
  readonly markers: ReadonlyMap<string, Marker>;
  readonly markedAt: string | undefined;
}

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const reference = z.object({ name: z.string().nullish() }).nullish();
const withSecretRef = z.object({ secretRef: reference }).nullish();

const containerSchema = z.object({
  env: listOf(z.object({ valueFrom: z.object({ secretKeyRef: reference }).nullish() })),
  envFrom: listOf(z.object({ secretRef: reference })),
});

const volumeSchema = z.object({
  secret: z.object({ secretName: z.string().nullish() }).nullish(),
  projected: z.object({ sources: listOf(z.object({ secret: reference })) }).nullish(),
  csi: z.object({ nodePublishSecretRef: reference }).nullish(),
  azureFile: z.object({ secretName: z.string().nullish() }).nullish(),
  cephfs: withSecretRef,
  flexVolume: withSecretRef,
  iscsi: withSecretRef,
  rbd: withSecretRef,
  scaleIO: withSecretRef,
  storageos: withSecretRef,
});

const templateSchema = z.object({
  spec: z
    .object({
      containers: listOf(containerSchema),
      initContainers: listOf(containerSchema),
      // Only of pods: no template has them.
      ephemeralContainers: listOf(containerSchema),
      volumes: listOf(volumeSchema),
      imagePullSecrets: listOf(z.object({ name: z.string().nullish() })),
    })
    .nullish(),
});

const annotatedSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
});

const managedFieldsSchema = z.array(
  z.object({
    manager: z.string().nullish(),
    operation: z.string().nullish(),
    time: z.string().nullish(),
    fieldsV1: z.unknown(),
  }),
);
type ManagedFields = z.infer<typeof managedFieldsSchema>[number];

type Name = string | null | undefined;

/** Every set of uses there can be, by its bits: objects share them, and each is in the same order. */
const useSets: readonly (readonly Use[])[] = Array.from({ length: 2 ** uses.length }, (_, bits) =>
  uses.filter((_use, index) => (bits & (2 ** index)) !== 0),
);
const noUses: ReadonlyMap<string, readonly Use[]> = new Map();
const noMarkers: TemplateMarkers = { markers: new Map(), markedAt: undefined };

/**
 * How a pod template uses Secrets, by their name, in the order of names. An optional use counts: it is one once the Secret exists.
 * @throws ZodError for what is no pod template
 */
export function usesOf(template: unknown): ReadonlyMap<string, readonly Use[]> {
  const { spec } = templateSchema.parse(template ?? {});
  if (spec === null || spec === undefined) return noUses;
  const containers = [...spec.containers, ...spec.initContainers, ...spec.ephemeralContainers];
  const names: Readonly<Record<Use, readonly Name[]>> = {
    env: containers.flatMap(({ env }) => env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name)),
    envFrom: containers.flatMap(({ envFrom }) => envFrom.map(({ secretRef }) => secretRef?.name)),
    volume: spec.volumes.flatMap(secretsOfVolume),
    imagePull: spec.imagePullSecrets.map(({ name }) => name),
  };
  const bits = new Map<string, number>();
  for (const [index, use] of uses.entries()) {
    for (const name of names[use]) {
      if (typeof name === 'string' && name !== '') bits.set(name, (bits.get(name) ?? 0) | (2 ** index));
    }
  }
  if (bits.size === 0) return noUses;
  const sorted = [...bits].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, set]) => [name, useSets[set] ?? []]));
}

function secretsOfVolume(volume: z.infer<typeof volumeSchema>): readonly Name[] {
  const { cephfs, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  const references = [cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map((source) => source?.secretRef?.name);
  const projected = volume.projected?.sources.map(({ secret }) => secret?.name) ?? [];
  const { secret, azureFile, csi } = volume;
  return [secret?.secretName, azureFile?.secretName, csi?.nodePublishSecretRef?.name, ...projected, ...references];
}

/**
 * @param managedFields of the object that has the template
 * @param path where the template stands in it: `['spec', 'template']`
 */
export function markersOf(template: unknown, managedFields: unknown, path: readonly string[]): TemplateMarkers {
  const { metadata } = annotatedSchema.parse(template ?? {});
  const found = Object.entries(metadata?.annotations ?? {}).filter(([name]) => name.startsWith(annotations.marker));
  if (found.length === 0) return noMarkers;
  const entries = managedFieldsSchema.parse(managedFields ?? []);
  const markers = found.map(([name, value]): [string, Marker] => {
    const owners = entries.filter((entry) => owns(entry, path, name));
    return [name, { value, ours: owners.length > 0 && owners.every(isOurs) }];
  });
  const marked = entries.find((entry) => isOurs(entry) && found.some(([name]) => owns(entry, path, name)));
  return { markers: new Map(markers), markedAt: marked?.time ?? undefined };
}

function isOurs({ manager, operation }: ManagedFields): boolean {
  return manager === rolloutFieldManager && operation === 'Apply';
}

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management: `f:<name>` stands for a field. */
function owns({ fieldsV1 }: ManagedFields, path: readonly string[], annotation: string): boolean {
  let fields = fieldsV1;
  for (const field of [...path, 'metadata', 'annotations', annotation]) {
    if (!isRecord(fields)) return false;
    fields = fields[`f:${field}`];
  }
  return fields !== undefined;
}

/** Eight hex digits over all of a pod template but our markers: it changes when anybody else changes the template, by a restart too. */
export function hashOfTemplate(template: unknown): string {
  const text = JSON.stringify(withoutMarkers(template), (_, value: unknown) =>
    isRecord(value) ? sorted(value) : value,
  );
  return shortHash(text);
}

/** Also without what the first marker brings along: a map to stand in. */
function withoutMarkers(template: unknown): Readonly<Record<string, unknown>> {
  const { metadata: rawMetadata, ...rest } = isRecord(template) ? template : {};
  const { annotations: rawAnnotations, ...metadata } = isRecord(rawMetadata) ? rawMetadata : {};
  const all = isRecord(rawAnnotations) ? Object.entries(rawAnnotations) : [];
  const others = all.filter(([name]) => !name.startsWith(annotations.marker));
  return { ...rest, metadata: { ...metadata, annotations: Object.fromEntries(others) } };
}

/** Without nulls too: some versions of the API server write `creationTimestamp: null` into templates, some don't. */
function sorted(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(record).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
