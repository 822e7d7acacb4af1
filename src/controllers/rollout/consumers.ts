import { annotations } from '../../api/v1/names.ts';
import type { Consumer, ConsumerState, RolloutSpec } from '../../api/v1/rollout.ts';
import type { Applied } from './applied.ts';
import { contentRunBy, type SecretContent } from './ledger.ts';
import { versionsRun } from './versions-run.ts';
import type { Progress, Workload, Workloads } from './workload.ts';

type ListedWorkload = NonNullable<RolloutSpec['workloads']>[number];

/** A target as far as its consumers are concerned. */
export interface ConsumedTarget {
  readonly namespace: string;
  readonly name: string;
  /** Name of its marker in pod templates. */
  readonly marker: string;
  readonly rollout: RolloutSpec;
}

export interface ConsumerOptions {
  readonly workloads: Workloads;
  /** The entries that the status has now. */
  readonly before: readonly Consumer[];
  readonly secret: SecretContent;
  /** The versions that the Secret holds, in short. */
  readonly summary: string;
  /** Why a workload that is due is not rolled out yet. */
  readonly waiting: (uid: string) => string | undefined;
  /** Why a workload can't be rolled out. */
  readonly refused?: (uid: string) => string | undefined;
  /** What this process itself marked. */
  readonly applied?: Pick<Applied, 'content'>;
  /** RFC 3339. */
  readonly now?: string;
}

/** More than these would not fit into one object of the API server, and an object that can't be written would stop everything. */
export const MAX_CONSUMERS = 500;

/** The consumers of a target as the status should have them: who uses it, what each runs, and how far each is. Pure, in a stable order. */
export function nextConsumers(target: ConsumedTarget, options: ConsumerOptions): readonly Consumer[] {
  const before = new Map(options.before.map((consumer) => [consumer.uid, consumer]));
  const all = usersOf(target, options.workloads).map((workload) =>
    nextConsumer(target, workload, before.get(workload.metadata.uid), options),
  );
  if (all.length <= MAX_CONSUMERS) return all;
  const [rolled, others] = [all.filter(takesPart), all.filter((consumer) => !takesPart(consumer))];
  return [...rolled, ...others].slice(0, MAX_CONSUMERS);
}

/** Whether a consumer is rolled out, and not only shown. */
export function takesPart({ state }: Consumer): boolean {
  return state !== 'LeftAlone';
}

/** Those that the status has already, with nobody new: for when nothing is known of the Secret but what the status says. */
export function refreshedConsumers(target: ConsumedTarget, options: ConsumerOptions): readonly Consumer[] {
  const known = new Set(options.before.map((consumer) => consumer.uid));
  return nextConsumers(target, options).filter((consumer) => known.has(consumer.uid));
}

function usersOf({ namespace, name, rollout }: ConsumedTarget, workloads: Workloads): readonly Workload[] {
  const listed = (rollout.workloads ?? []).flatMap((item) => listedWorkload(workloads, namespace, item) ?? []);
  const all = [...workloads.usersOf(namespace, name), ...listed];
  const distinct = new Map(all.map((workload) => [workload.metadata.uid, workload]));
  return [...distinct.values()]
    .filter((workload) => workload.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => compare(a.kind, b.kind) || compare(a.metadata.name, b.metadata.name));
}

/** An Argo Rollout that takes its pod template from a Deployment stands for that. */
function listedWorkload(workloads: Workloads, namespace: string, { kind, name }: ListedWorkload): Workload | undefined {
  const found = workloads.get(kind, namespace, name);
  const elsewhere = found?.workloadRef;
  return elsewhere?.kind === 'Deployment' ? workloads.get('Deployment', namespace, elsewhere.name) : found;
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function nextConsumer(
  target: ConsumedTarget,
  workload: Workload,
  before: Consumer | undefined,
  options: ConsumerOptions,
): Consumer {
  const { kind, metadata } = workload;
  const uses = workload.uses.get(target.name) ?? [];
  const consumer = { kind, name: metadata.name, uid: metadata.uid, uses: [...uses] };
  const reason = whyLeftAlone(target, workload, options.workloads);
  if (kind === 'Pod' || kind === 'Job') return { ...consumer, state: 'LeftAlone', ...messageOf(reason) };
  const marker = workload.markers.get(target.marker);
  const applied = options.applied?.content(metadata.uid, target.marker);
  const evidence = { createdAt: metadata.creationTimestamp, marker, entry: before, applied };
  const content = contentRunBy(evidence, options.secret);
  const rolled = marker?.ours === true;
  const state = reason === undefined ? rolledState(content, rolled, before, workload, options) : leftAlone(reason);
  const held = { content: options.secret.content, summary: options.summary };
  return { ...consumer, content, ...state, ...versionsRun({ content, ...state }, before, held) };
}

type State = Pick<Consumer, 'state' | 'message' | 'template' | 'since'>;

/** What it runs is remembered for when it is rolled out again. */
function leftAlone(reason: string): State {
  return { state: 'LeftAlone', message: reason };
}

/** Of a workload that takes part. */
function rolledState(
  content: string,
  rolled: boolean,
  before: Consumer | undefined,
  workload: Workload,
  options: ConsumerOptions,
): State {
  return content === options.secret.content
    ? progressState(content, rolled, before, workload, options.now)
    : dueState(before, workload, options);
}

/** Of a workload whose pods run something else than the Secret holds. */
function dueState(before: Consumer | undefined, workload: Workload, { waiting, refused }: ConsumerOptions): State {
  const refusal = refused?.(workload.metadata.uid);
  const message = messageOf(refusal ?? waiting(workload.metadata.uid));
  const state = refusal === undefined ? 'Waiting' : 'Failed';
  return { state, ...message, ...templateOf(before) };
}

/** Of a workload whose template is made for what the Secret holds. */
function progressState(
  content: string,
  rolled: boolean,
  before: Consumer | undefined,
  { progress, markedAt }: Workload,
  now: string | undefined,
): State {
  const entry = before?.content === content && before.state !== 'LeftAlone' ? before : undefined;
  // Whatever its owners do with it later is not about this content any more; but what we began is ours until it ends, with or without our marker.
  const over = entry === undefined ? !rolled : entry.state === 'Complete';
  const since = sinceOf(over ? entry?.since : (beginning(entry, progress, now) ?? markedAt));
  if (over || progress.state === 'Complete') return { state: 'Complete', ...since };
  // How many pods are through changes all the time, and is the workload's own to tell; a partition stays where it is.
  const message = progress.state === 'Partial' ? progress.detail : undefined;
  return { state: progress.state, ...since, ...templateOf(before), ...messageOf(message) };
}

function sinceOf(since: string | undefined): Pick<State, 'since'> {
  return since === undefined ? {} : { since };
}

const held: ReadonlySet<string> = new Set<ConsumerState>(['Paused', 'WaitingForDelete', 'Partial']);

/** A later rollout for another target is not about this one; and time in which somebody held it back does not count. */
function beginning(entry: Consumer | undefined, progress: Progress, now: string | undefined): string | undefined {
  const resumed = entry !== undefined && held.has(entry.state) && progress.state === 'Progressing';
  return resumed ? (now ?? entry.since) : entry?.since;
}

function messageOf(message: string | undefined): Pick<State, 'message'> {
  return message === undefined ? {} : { message };
}

function templateOf(before: Consumer | undefined): Pick<State, 'template'> {
  return before?.template === undefined ? {} : { template: before.template };
}

/** Why a workload is only reported; undefined where it is rolled out. */
export function whyLeftAlone(target: ConsumedTarget, workload: Workload, workloads: Workloads): string | undefined {
  const { kind, metadata, choice } = workload;
  const { policy, workloads: list = [] } = target.rollout;
  if (kind === 'Pod' || kind === 'Job') return `a ${kind} is never restarted`;
  if (policy === 'Never') return 'rollout.policy is Never';
  if (choice === 'out') return `its annotation ${annotations.rollout} says "false"`;
  if (policy === 'Listed') {
    const listed = list.some(
      (item) => listedWorkload(workloads, target.namespace, item)?.metadata.uid === metadata.uid,
    );
    return listed ? undefined : 'rollout.workloads does not list it';
  }
  if (kind === 'CronJob' && choice !== 'in')
    return `a CronJob is marked only with the annotation ${annotations.rollout}: "true"`;
  const uses = workload.uses.get(target.name) ?? [];
  return uses.every((use) => use === 'imagePull') ? 'it uses the Secret to pull images only' : undefined;
}
