import { z } from 'zod';
import type { History, Violation } from '../history.ts';
import {
  candidates,
  type Group,
  groupsOf,
  type Holding,
  holdings,
  keysOfOthers,
  nameOf,
  type Recipe,
  recipesOf,
  versionsOf,
} from './reading.ts';

/** S1 and S4: every target is the rendering of versions that existed; what comes from one selector comes from one version; pinned keys show their version. */
export function noInvention(history: History): readonly Violation[] {
  return holdings(history).flatMap((holding) => {
    const recipes = recipesOf(history, holding.reference);
    if (recipes.length === 0) return [];
    const failures = recipes.map((recipe) => mistakes(history, recipe, holding));
    const least = failures.toSorted((a, b) => a.length - b.length)[0] ?? [];
    return least.map(({ law, what }) => ({ law, what: `${nameOf(holding.secret)}: ${what}` }));
  });
}

function mistakes(history: History, recipe: Recipe, { data, secret, merged }: Holding): readonly Violation[] {
  const theirs = keysOfOthers(secret);
  const wrong = groupsOf(recipe)
    .filter(({ keys }) => !keys.some(({ key }) => theirs.has(key)))
    .filter((group) => candidates(history, group, data, secret.at).length === 0)
    .map((group): Violation => ({ law: group.version === undefined ? 'S1' : 'S4', what: describeMistake(group) }));
  const wanted = new Set(recipe.keys.map(({ key }) => key));
  const foreign = merged ? [] : Object.keys(data).filter((key) => !wanted.has(key) && !theirs.has(key));
  const missing = recipe.keys.filter(({ key, optional }) => !optional && data[key] === undefined);
  return [
    ...wrong,
    ...foreign.map((key): Violation => ({ law: 'S1', what: `has key ${key}, which nobody asked for` })),
    ...missing.map(({ key }): Violation => ({ law: 'S1', what: `is without key ${key}` })),
  ];
}

function describeMistake({ secret, version, keys }: Group): string {
  const names = keys.map(({ key }) => key).join(', ');
  return `no version of ${secret}${version === undefined ? '' : ` that is ${version}`} shows what is in ${names}`;
}

/** S3: what follows latest never goes back to what was latest before, unless the label did. */
export function monotone(history: History): readonly Violation[] {
  const places = new Map<string, number>();
  return holdings(history).flatMap((holding) => {
    const recipes = recipesOf(history, holding.reference);
    const recipe = recipes.findLast((each) => mistakes(history, each, holding).length === 0);
    const latest = recipe === undefined ? [] : groupsOf(recipe).filter(({ version }) => version === undefined);
    return latest.flatMap((group) => {
      const key = `${holding.secret.uid} ${holding.reference} ${group.secret}`;
      const place = nextPlace(history, group, holding, places.get(key) ?? 0) ?? heldPlace(history, group, holding);
      if (place !== undefined) {
        places.set(key, place);
        return [];
      }
      return [
        { law: 'S3' as const, what: `${nameOf(holding.secret)} went back to an older version of ${group.secret}` },
      ];
    });
  });
}

/** The first time from `from` on that something was latest that the target shows. */
function nextPlace(history: History, group: Group, { data, secret }: Holding, from: number): number | undefined {
  if (group.keys.some(({ key }) => keysOfOthers(secret).has(key))) return from;
  const shown = new Set(candidates(history, group, data, secret.at));
  const latest = history.backend.filter(({ secret: name, kind }) => name === group.secret && kind !== 'delete');
  const place = latest.findIndex(({ version, at }, index) => index >= from && at <= secret.at && shown.has(version));
  return place === -1 ? undefined : place;
}

const heldSchema = z.object({
  status: z.object({
    held: z.object({ good: z.object({ versions: z.array(z.object({ secret: z.string(), version: z.string() })) }) }),
  }),
});

/** Where a target went back to because its reference said before that it holds that version. */
function heldPlace(history: History, group: Group, { secret, reference, data }: Holding): number | undefined {
  const before = versionsOf(history, 'SecretReference').findLast(
    ({ uid, revision }) => uid === reference && revision < secret.revision,
  );
  const held = heldSchema.safeParse(before?.object);
  if (!held.success) return undefined;
  const wanted = held.data.status.held.good.versions.find((each) => each.secret === group.secret)?.version;
  const shown = candidates(history, group, data, secret.at);
  const latest = history.backend.filter(({ secret: name, kind }) => name === group.secret && kind !== 'delete');
  const place = latest.findLastIndex(
    ({ version, at }) => version === wanted && shown.includes(version) && at <= secret.at,
  );
  return place === -1 ? undefined : place;
}
