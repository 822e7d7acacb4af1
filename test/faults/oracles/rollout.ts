import { createHash } from 'node:crypto';
import { z } from 'zod';
import { annotations, rolloutFieldManager } from '../../../src/api/v1/names.ts';
import type { History, ObjectVersion, Violation } from '../history.ts';
import { nameOf, versionsOf } from './reading.ts';

const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** A moment from which on a target had a content. */
export interface ContentChange {
  readonly revision: number;
  readonly content: string;
}

/** The contents that a target had, by the annotation that names them, each where it differs from the one before. */
export function contentsOf(history: History, target: string, annotation: string): readonly ContentChange[] {
  const named = versionsOf(history, 'Secret').filter((secret) => secret.name === target);
  const changes: ContentChange[] = [];
  for (const { annotations: marks, revision } of named) {
    const content = marks[annotation];
    if (content !== undefined && content !== changes.at(-1)?.content) changes.push({ revision, content });
  }
  return changes;
}

/** A marker stands for a target; for one that several references share, also for the reference. */
export function meaningOf(history: History, marker: string): { readonly target: string; readonly annotation: string } {
  const whole = marker.slice(annotations.marker.length);
  const uids = new Set(versionsOf(history, 'SecretReference').map(({ uid }) => uid));
  for (const uid of uids) {
    const suffix = `.${createHash('sha256').update(uid).digest('hex').slice(0, 8)}`;
    if (whole.endsWith(suffix))
      return { target: whole.slice(0, -suffix.length), annotation: annotations.mergedContent + uid };
  }
  return { target: whole, annotation: annotations.content };
}

const workloadSchema = z.object({
  metadata: z.object({
    managedFields: z
      .array(z.object({ manager: z.string().default(''), fieldsV1: z.record(z.string(), z.unknown()).default({}) }))
      .default([]),
  }),
  spec: z.object({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).default({}) }).prefault({}),
    }),
  }),
});

/** A workload's pod template: our markers, and all the rest. */
export interface Template {
  readonly markers: ReadonlyMap<string, string>;
  readonly rest: string;
}

export function templateOf({ object }: ObjectVersion): Template {
  const { template } = workloadSchema.parse(object).spec;
  const entries = Object.entries(template.metadata.annotations);
  const isMarker = ([name]: readonly [string, string]): boolean => name.startsWith(annotations.marker);
  const others = Object.fromEntries(entries.filter((entry) => !isMarker(entry)));
  const metadata = { ...template.metadata, annotations: others };
  return { markers: new Map(entries.filter(isMarker)), rest: JSON.stringify({ ...template, metadata }) };
}

/** The content that a marker names: where others had set that very text, it ends with a plus sign. */
export function contentNamed(marker: string | undefined): string | undefined {
  return marker?.replace(/\+$/, '');
}

/** The workloads of a history, each with its versions in order. */
export function workloadsOf(history: History): readonly (readonly ObjectVersion[])[] {
  const all = workloadKinds.flatMap((kind) => versionsOf(history, kind));
  return [...Map.groupBy(all, ({ uid }) => uid).values()].map((versions) =>
    versions.toSorted((a, b) => a.revision - b.revision),
  );
}

/** S5: at most one new revision of a workload for each change of a target's content, and none without one. */
export function onceForEachChange(history: History): readonly Violation[] {
  return workloadsOf(history).flatMap((versions) => needlessRevisions(history, versions));
}

function needlessRevisions(history: History, versions: readonly ObjectVersion[]): readonly Violation[] {
  const answered = new Map<string, number>();
  const [first] = versions;
  return versions.flatMap((version, index) => {
    const before = versions[index - 1];
    if (before === undefined || first === undefined || wasPerson(history, version)) return [];
    const [was, is] = [templateOf(before), templateOf(version)];
    if (was.rest !== is.rest) return [{ law: 'S5' as const, what: `the template of ${nameOf(version)} was changed` }];
    const changed = [...new Set([...was.markers.keys(), ...is.markers.keys()])].filter(
      (name) => was.markers.get(name) !== is.markers.get(name),
    );
    const needless = changed.filter((marker) => {
      const change = answeredChange(history, marker, contentNamed(is.markers.get(marker)) ?? '', version);
      if (change === undefined || change <= Math.max(answered.get(marker) ?? 0, first.revision)) return true;
      answered.set(marker, change);
      return false;
    });
    return needless.map((marker): Violation => {
      return { law: 'S5', what: `${nameOf(version)} was rolled out by ${marker} without a change of its target` };
    });
  });
}

/** The revision of the change that a marker answers; undefined where its content was not the first and there is no such change. */
function answeredChange(
  history: History,
  marker: string,
  content: string,
  { revision }: ObjectVersion,
): number | undefined {
  const { target, annotation } = meaningOf(history, marker);
  const contents = contentsOf(history, target, annotation);
  // The first content is no change: whoever uses it started on it, or waited for it.
  return contents.slice(1).findLast((change) => change.content === content && change.revision < revision)?.revision;
}

function wasPerson(history: History, { name, revision }: ObjectVersion): boolean {
  return history.acts.some((act) => act.kind === 'edit-workload' && act.name === name && act.revision === revision);
}

const fieldsSchema = z.record(z.string(), z.unknown());

/** S6: a marker that is ours alone names only what its target held before. */
export function secretBeforeMarker(history: History): readonly Violation[] {
  return workloadsOf(history)
    .flat()
    .flatMap((version) => {
      const { markers } = templateOf(version);
      const early = [...markers].filter(
        ([name, content]) => isOurs(version, name) && !wasHeld(history, name, contentNamed(content), version),
      );
      return early.map(
        ([name]): Violation => ({
          law: 'S6',
          what: `${nameOf(version)} is marked by ${name} for what its target never held before`,
        }),
      );
    });
}

function wasHeld(history: History, marker: string, content: string | undefined, { revision }: ObjectVersion): boolean {
  const { target, annotation } = meaningOf(history, marker);
  return contentsOf(history, target, annotation).some(
    (change) => change.content === content && change.revision < revision,
  );
}

function isOurs({ object }: ObjectVersion, marker: string): boolean {
  const { managedFields } = workloadSchema.parse(object).metadata;
  const path = ['f:spec', 'f:template', 'f:metadata', 'f:annotations', `f:${marker}`];
  const owners = managedFields.filter(({ fieldsV1 }) => holds(fieldsV1, path));
  return owners.length > 0 && owners.every(({ manager }) => manager === rolloutFieldManager);
}

function holds(fields: unknown, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  const parsed = fieldsSchema.safeParse(fields);
  return parsed.success && first in parsed.data && holds(parsed.data[first], rest);
}
