import { z } from 'zod';
import { annotations } from '../../../src/api/v1/names.ts';
import type { History, ObjectVersion } from '../history.ts';

/** Where one key of a target comes from, as its reference says. */
export interface KeyRecipe {
  readonly key: string;
  readonly secret: string;
  /** Undefined: latest, or what `stage` names. */
  readonly version: string | undefined;
  /** AWSCURRENT, which is the same as latest: no other is used here. */
  readonly stage: string | undefined;
  readonly property: string | undefined;
  readonly optional: boolean;
}

export interface Recipe {
  readonly generation: number;
  readonly ownership: string;
  readonly target: string;
  readonly keys: readonly KeyRecipe[];
}

const specSchema = z.object({
  spec: z.object({
    data: z
      .record(
        z.string(),
        z.object({
          secret: z.string(),
          version: z.string().optional(),
          stage: z.literal('AWSCURRENT').optional(),
          property: z.string().optional(),
          optional: z.boolean().default(false),
        }),
      )
      .default({}),
    target: z.object({ name: z.string().optional(), ownership: z.string().default('Owner') }).prefault({}),
  }),
});

/** Everything that a reference ever asked for. */
export function recipesOf(history: History, uid: string): readonly Recipe[] {
  return history.objects.filter((version) => version.kind === 'SecretReference' && version.uid === uid).map(toRecipe);
}

export function toRecipe({ object, generation, name }: ObjectVersion): Recipe {
  const { data, target } = specSchema.parse(object).spec;
  const keys = Object.entries(data).map(([key, { secret, version, stage, property, optional }]) => {
    return { key, secret, version, stage, property, optional };
  });
  return { generation, ownership: target.ownership, target: target.name ?? name, keys };
}

/** A target, and the reference that has something in it. */
export interface Holding {
  readonly secret: ObjectVersion;
  readonly data: Readonly<Record<string, string>>;
  /** Uid of the reference. */
  readonly reference: string;
  readonly merged: boolean;
}

const dataSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** What a Secret holds, decoded. */
export function dataOf(secret: ObjectVersion): Readonly<Record<string, string>> {
  const { data } = dataSchema.parse(secret.object);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

function holdingsIn(secret: ObjectVersion): readonly Holding[] {
  const owner = secret.annotations[annotations.referenceUid];
  const merged = Object.keys(secret.annotations)
    .filter((name) => name.startsWith(annotations.merged))
    .map((name) => name.slice(annotations.merged.length));
  const data = dataOf(secret);
  return [
    ...(owner === undefined ? [] : [{ secret, data, reference: owner, merged: false }]),
    ...merged.map((reference) => ({ secret, data, reference, merged: true })),
  ];
}

/** Every state of every target, in order. */
export function holdings(history: History): readonly Holding[] {
  return versionsOf(history, 'Secret').flatMap(holdingsIn);
}

/** The states of all objects of a kind, in order; without the last words of those that went. */
export function versionsOf(history: History, kind: string): readonly ObjectVersion[] {
  return history.objects.filter((version) => version.kind === kind && version.type !== 'DELETED');
}

/** What a key shows of a version; undefined where the version has no such property. */
export function render(value: string, property: string | undefined): string | undefined {
  if (property === undefined) return value;
  const parsed = z.record(z.string(), z.string()).safeParse(safeJson(value));
  return parsed.success ? parsed.data[property] : undefined;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keys that have to come from one version. */
export interface Group {
  readonly secret: string;
  readonly version: string | undefined;
  /** As a status says it. */
  readonly requested: string;
  readonly keys: readonly KeyRecipe[];
}

export function groupsOf(recipe: Recipe): readonly Group[] {
  const groups = Map.groupBy(recipe.keys, ({ secret, version, stage }) => JSON.stringify([secret, version, stage]));
  return [...groups.values()].flatMap((keys) => {
    const [first] = keys;
    if (first === undefined) return [];
    const { secret, version, stage } = first;
    const requested = version !== undefined ? `version ${version}` : stage !== undefined ? `stage ${stage}` : 'latest';
    return [{ secret, version, requested, keys }];
  });
}

/** The versions of a group's secret that show what the data shows, of those that existed at that time. */
export function candidates(
  history: History,
  group: Group,
  data: Readonly<Record<string, string>>,
  at: number,
): readonly string[] {
  const existed = history.backend.filter(
    (change) => change.kind === 'put' && change.secret === group.secret && change.at <= at,
  );
  const fits = existed.filter(({ value }) => group.keys.every((key) => shows(data, key, value)));
  return fits.map(({ version }) => version).filter((id) => group.version === undefined || id === group.version);
}

function shows(data: Readonly<Record<string, string>>, recipe: KeyRecipe, value: string): boolean {
  const shown = data[recipe.key];
  if (shown === undefined) return recipe.optional;
  return shown === render(value, recipe.property);
}

/** `Secret app (uid 1234, revision 56)`: where to look. */
export function nameOf({ kind, name, uid, revision }: ObjectVersion): string {
  return `${kind} ${name} (${uid.slice(0, 8)}, revision ${revision})`;
}

const managedSchema = z.object({
  metadata: z.object({
    managedFields: z
      .array(z.object({ manager: z.string().default(''), fieldsV1: z.record(z.string(), z.unknown()).default({}) }))
      .default([]),
  }),
});
const fieldsSchema = z.record(z.string(), z.unknown());

/** Keys that somebody else wrote last, by the API server's own record: there people may write what they like, until it is repaired. */
export function keysOfOthers({ object }: ObjectVersion): ReadonlySet<string> {
  const { managedFields } = managedSchema.parse(object).metadata;
  const others = managedFields.filter(({ manager }) => !manager.startsWith('keyferry-'));
  const names = others.flatMap(({ fieldsV1 }) => Object.keys(fieldsSchema.safeParse(fieldsV1['f:data']).data ?? {}));
  return new Set(names.map((name) => name.slice('f:'.length)));
}
