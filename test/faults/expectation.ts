import { z } from 'zod';
import type { History, ObjectVersion } from './history.ts';
import { annotations } from '../../src/api/v1/names.ts';
import { contentNamed, contentsOf, meaningOf, templateOf, workloadsOf } from './oracles/rollout.ts';
import { dataOf, groupsOf, type Recipe, render, toRecipe } from './oracles/reading.ts';

/** How a reference should be in the end. */
export type Expectation =
  /** Ready, and its Secret holds what its spec wants of what the backend has now. */
  | {
      readonly state: 'Synced' /** Versions that are held instead of latest, by secret. */;
      readonly held?: Readonly<Record<string, string>>;
    }
  /** Ready says no, for this reason, and the Secret is as told. */
  | { readonly state: 'refused'; readonly reason: string; readonly secret: 'absent' | 'there' }
  /** Neither it nor its Secret is there. */
  | { readonly state: 'gone' };

type Held = Readonly<Record<string, string>>;

const referenceSchema = z.object({
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string(),
            observedGeneration: z.int().optional(),
          }),
        )
        .default([]),
      versions: z.array(z.object({ secret: z.string(), requested: z.string(), version: z.string() })).default([]),
      target: z.object({ uid: z.string(), resourceVersion: z.string() }).optional(),
      consumers: z.array(z.object({ name: z.string(), state: z.string() })).default([]),
    })
    .prefault({}),
});

/** What is not yet as it should be, in words. Empty where all is. */
export function complaints(history: History, expectations: ReadonlyMap<string, Expectation>): readonly string[] {
  return [
    ...[...expectations].flatMap(([name, expectation]) =>
      complaintsOf(history, name, expectation).map((text) => `${name}: ${text}`),
    ),
    ...workloadsOf(history).flatMap((versions) => workloadComplaints(history, versions)),
  ];
}

function complaintsOf(history: History, name: string, expectation: Expectation): readonly string[] {
  const reference = lastOf(history, 'SecretReference', name);
  if (expectation.state === 'gone') return goneComplaints(history, name, reference);
  if (reference === undefined) return ['it is not there'];
  const recipe = toRecipe(reference);
  const secret = lastOf(history, 'Secret', recipe.target);
  const { status } = referenceSchema.parse(reference.object);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.observedGeneration !== reference.generation)
    return [`nothing is said of generation ${reference.generation}`];
  if (expectation.state === 'refused') return refusedComplaints(expectation, ready, secret);
  if (ready.status !== 'True' || ready.reason !== 'Synced') return [`it is ${ready.status} ${ready.reason}`];
  if (secret === undefined) return ['its Secret is not there'];
  const held = expectation.held ?? {};
  return [
    ...contentComplaints(history, recipe, held, secret),
    ...statusComplaints(history, recipe, held, status, secret),
  ];
}

function refusedComplaints(
  { reason, secret }: Extract<Expectation, { state: 'refused' }>,
  ready: { readonly status: string; readonly reason: string },
  found: ObjectVersion | undefined,
): readonly string[] {
  const there = found === undefined ? 'absent' : 'there';
  if (ready.reason !== reason || ready.status !== 'False') return [`it is ${ready.reason}, not ${reason}`];
  return there === secret ? [] : [`its Secret is ${there}, not ${secret}`];
}

function goneComplaints(history: History, name: string, reference: ObjectVersion | undefined): readonly string[] {
  const secret = lastOf(history, 'Secret', name);
  return [
    ...(reference === undefined ? [] : ['it is still there']),
    ...(secret === undefined ? [] : ['its Secret is still there']),
  ];
}

function contentComplaints(history: History, recipe: Recipe, held: Held, secret: ObjectVersion): readonly string[] {
  const data = dataOf(secret);
  const wanted = recipe.keys.map(({ key, secret: name, version, property }) => {
    const value = valueOf(history, name, version ?? held[name]);
    return [key, value === undefined ? undefined : render(value, property)] as const;
  });
  const wrong = wanted.filter(([key, value]) => data[key] !== value).map(([key]) => `key ${key} is not up to date`);
  const strange = recipe.ownership === 'Merge' ? 0 : Object.keys(data).length - wanted.length;
  return strange > 0 ? [...wrong, `its Secret has ${strange} keys too many`] : wrong;
}

function statusComplaints(
  history: History,
  recipe: Recipe,
  held: Held,
  { versions, target, consumers }: z.infer<typeof referenceSchema>['status'],
  secret: ObjectVersion,
): readonly string[] {
  const behind = groupsOf(recipe).filter(({ secret: name, version, requested }) => {
    const wanted = version ?? held[name] ?? latestOf(history, name)?.version;
    return !versions.some((held) => held.secret === name && held.requested === requested && held.version === wanted);
  });
  const stale = target?.uid !== secret.uid || target.resourceVersion !== String(secret.revision);
  return [
    ...behind.map(({ secret: name }) => `the status does not name the version of ${name}`),
    ...consumers.filter(({ state }) => state === 'Waiting').map(({ name }) => `consumer ${name} waits`),
    ...(stale && recipe.ownership !== 'Merge' ? ['the status speaks of another version of the Secret'] : []),
  ];
}

function valueOf(history: History, secret: string, version: string | undefined): string | undefined {
  if (version === undefined) return latestOf(history, secret)?.value;
  return history.backend.find((change) => change.secret === secret && change.version === version)?.value;
}

function latestOf(history: History, secret: string) {
  return history.backend.findLast((change) => change.secret === secret);
}

/** How an object is now; undefined where it is gone. */
function lastOf(history: History, kind: string, name: string): ObjectVersion | undefined {
  const last = history.objects.findLast((version) => version.kind === kind && version.name === name);
  return last?.type === 'DELETED' ? undefined : last;
}

/** Whoever uses a target that changed since is marked for what it holds; what a person did to a template counts as started anew. */
function workloadComplaints(history: History, versions: readonly ObjectVersion[]): readonly string[] {
  const [first, last] = [versions[0], versions.at(-1)];
  if (first === undefined || last === undefined) return [];
  const edits = history.acts.filter(({ kind, name }) => kind === 'edit-workload' && name === last.name);
  const since = Math.max(first.revision, ...edits.map(({ revision = 0 }) => revision));
  const { markers, rest } = templateOf(last);
  return markersFor(history, rest).flatMap((marker) => {
    const { target, annotation } = meaningOf(history, marker);
    const now = contentsOf(history, target, annotation).slice(1).at(-1);
    if (now === undefined || now.revision < since || contentNamed(markers.get(marker)) === now.content) return [];
    return [`${last.kind} ${last.name} is not rolled out for ${target}`];
  });
}

/** The markers of the targets that a template names. References that share a target have one each. */
function markersFor(history: History, template: string): readonly string[] {
  const references = history.objects.filter(({ kind }) => kind === 'SecretReference').map(toRecipe);
  const targets = new Set(references.filter(({ ownership }) => ownership !== 'Merge').map(({ target }) => target));
  const uses = (target: string): boolean =>
    template.includes(`"name":"${target}"`) || template.includes(`"secretName":"${target}"`);
  return [...targets].filter(uses).map((target) => annotations.marker + target);
}
