import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { annotations } from '../../api/v1/names.ts';
import { type ConsumerKind, rolledKinds } from '../../api/v1/rollout.ts';
import type { RawObject } from '../../kube/object.ts';
import { pickMetadata } from '../metadata.ts';
import { hashOfTemplate, markersOf, usesOf } from './pod-template.ts';
import { progressOf } from './progress.ts';
import type { Workload } from './workload.ts';

type Labels = Readonly<Record<string, string>>;

/** Shared by all workloads that have none: most do. */
const none: Record<string, string> = {};

/** Where the pod template stands in an object. A Pod has none: it is one. */
const templatePaths: Readonly<Record<ConsumerKind, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Rollout: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Job: ['spec', 'template'],
  Pod: [],
};

/** Whether a kind can be rolled out: only then its managed fields are needed. */
export function isRolledKind(kind: ConsumerKind): boolean {
  return rolledKinds.some((rolled) => rolled === kind);
}

/** Whether an object is a workload of its own. Pods and Jobs that another one made are looked at through it. */
export function standsAlone({ metadata }: RawObject): boolean {
  return metadata.ownerReferences.every((owner) => owner.controller !== true);
}

const endedSchema = z
  .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() })
  .nullish();

/** Whether a Job is over: it uses nothing any more. */
export function hasEnded(raw: RawObject): boolean {
  const conditions = endedSchema.safeParse(raw['status']).data?.conditions ?? [];
  return conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

/** @throws ZodError for an object that the API server would refuse: the caller names the object and skips it. */
export function toWorkload(kind: ConsumerKind, raw: RawObject): Workload {
  // Of a Pod, metadata changes with every hand that touches it, and is nobody's template.
  const template = kind === 'Pod' ? { spec: raw['spec'] } : at(raw, templatePaths[kind]);
  const { markers, markedAt } = markersOf(template, at(raw, ['metadata', 'managedFields']), templatePaths[kind]);
  const metadata = pickMetadata(raw.metadata, ['keyferry.io/']);
  const workloadRef = kind === 'Rollout' ? workloadRefOf(raw) : undefined;
  return {
    kind,
    // Labels are never asked for.
    metadata: { ...metadata, labels: none },
    uses: usesOf(template),
    markers,
    markedAt,
    choice: choiceOf(metadata.annotations[annotations.rollout]),
    progress: progressOf(kind, raw),
    template: hashOfTemplate(template),
    updates: updatesOf(kind, raw),
    selector: isRolledKind(kind) ? selectorOf(raw, template) : none,
    ...(workloadRef === undefined ? {} : { workloadRef }),
  };
}

const updatesSchema = z.object({
  podManagementPolicy: z.string().default('OrderedReady'),
  updateStrategy: z
    .object({
      type: z.string().default('RollingUpdate'),
      rollingUpdate: z.object({ partition: z.number().default(0) }).prefault({}),
    })
    .prefault({}),
});

function updatesOf(kind: ConsumerKind, raw: RawObject): Workload['updates'] {
  if (kind !== 'StatefulSet' && kind !== 'DaemonSet') return 'Rolling';
  const { podManagementPolicy, updateStrategy } = updatesSchema.parse(raw['spec'] ?? {});
  if (updateStrategy.type === 'OnDelete') return 'OnDelete';
  const inOrder = podManagementPolicy === 'OrderedReady' && updateStrategy.rollingUpdate.partition === 0;
  return kind === 'StatefulSet' && inOrder ? 'InOrder' : 'Rolling';
}

function choiceOf(annotation: string | undefined): Workload['choice'] {
  if (annotation === 'true') return 'in';
  return annotation === 'false' ? 'out' : undefined;
}

const selectorSchema = z.object({ matchLabels: z.record(z.string(), z.string()).nullish() }).nullish();
const labelledSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});

/** A selector without plain labels has expressions; then it is the labels of the template that its pods carry. */
function selectorOf(raw: RawObject, template: unknown): Labels {
  const labels = selectorSchema.parse(at(raw, ['spec', 'selector']))?.matchLabels ?? none;
  if (Object.keys(labels).length > 0) return labels;
  return labelledSchema.parse(template ?? {}).metadata?.labels ?? none;
}

const workloadRefSchema = z.object({ kind: z.string(), name: z.string() }).nullish();

function workloadRefOf(raw: RawObject): Workload['workloadRef'] {
  return workloadRefSchema.parse(at(raw, ['spec', 'workloadRef'])) ?? undefined;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, field) => (typeof found === 'object' && found !== null ? Reflect.get(found, field) : undefined),
    value,
  );
}

/** Whether two states of a workload are the same in all that a rollout depends on. Counters and stamps run all the time. */
export function isSameWorkload(a: Workload, b: Workload): boolean {
  return isDeepStrictEqual(essence(a), essence(b));
}

function essence({ metadata, uses, markers, choice, progress, template, workloadRef }: Workload): readonly unknown[] {
  const { uid, deletionTimestamp } = metadata;
  return [uid, deletionTimestamp, uses, markers, choice, progress, template, workloadRef];
}
