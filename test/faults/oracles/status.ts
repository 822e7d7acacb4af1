import { z } from 'zod';
import type { History, ObjectVersion, Violation } from '../history.ts';
import { candidates, dataOf, groupsOf, nameOf, recipesOf, versionsOf } from './reading.ts';

const statusSchema = z.object({
  status: z
    .object({
      observedGeneration: z.int().default(0),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), observedGeneration: z.int().default(0) }))
        .default([]),
      versions: z.array(z.object({ secret: z.string(), requested: z.string(), version: z.string() })).default([]),
      target: z.object({ uid: z.string(), resourceVersion: z.string() }).optional(),
    })
    .prefault({}),
});

type Status = z.infer<typeof statusSchema>['status'];

/** S12: who says Ready says the truth, and of no generation that there is not yet. */
export function truthfulStatus(history: History): readonly Violation[] {
  return versionsOf(history, 'SecretReference').flatMap((reference) => {
    const { status } = statusSchema.parse(reference.object);
    return [...ahead(reference, status), ...untrue(history, reference, status)].map(
      (what): Violation => ({ law: 'S12', what }),
    );
  });
}

function ahead(reference: ObjectVersion, { observedGeneration, conditions }: Status): readonly string[] {
  const most = Math.max(observedGeneration, ...conditions.map((condition) => condition.observedGeneration));
  return most > reference.generation ? [`${nameOf(reference)} speaks of generation ${most}`] : [];
}

function untrue(history: History, reference: ObjectVersion, status: Status): readonly string[] {
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return [];
  const { target, versions } = status;
  if (target === undefined) return [`${nameOf(reference)} is Ready and names no Secret`];
  const secret = versionsOf(history, 'Secret').find(
    ({ uid, revision }) => uid === target.uid && String(revision) === target.resourceVersion,
  );
  if (secret === undefined) return [`${nameOf(reference)} is Ready by a Secret that there never was`];
  // What the status was made from: the generation that it speaks of.
  const recipe = recipesOf(history, reference.uid).findLast(
    ({ generation }) => generation === ready.observedGeneration,
  );
  if (recipe === undefined) return [];
  return groupsOf(recipe).flatMap((group) => {
    const said = versions.find(
      ({ secret, requested }) => secret === group.secret && requested === group.requested,
    )?.version;
    const held = candidates(history, group, dataOf(secret), Number.POSITIVE_INFINITY);
    if (said === undefined)
      return group.keys.every(({ optional }) => optional)
        ? []
        : [`${nameOf(reference)} is Ready and does not say which version of ${group.secret} it holds`];
    return held.includes(said)
      ? []
      : [`${nameOf(reference)} says that the Secret holds ${group.secret}@${said}, which it did not`];
  });
}
