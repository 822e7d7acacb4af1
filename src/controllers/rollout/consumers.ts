import { annotations } from '../../api/v1/names.ts';
import type { Consumer, RolloutSpec, Use } from '../../api/v1/rollout.ts';
import { contentRunBy, type SecretContent } from './ledger.ts';
import type { Workload, Workloads } from './workload.ts';

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
}

/** More than these would not fit into one object of the API server, and an object that can't be written would stop everything. */
export const MAX_CONSUMERS = 2_000;

/** The consumers of a target as the status should have them: who uses it, what each runs, and how far each is. Pure, in a stable order. */
export function nextConsumers(target: ConsumedTarget, options: ConsumerOptions): readonly Consumer[] {
  const before = new Map(options.before.map((consumer) => [consumer.uid, consumer]));
  const all = usersOf(target, options.workloads).map((workload) =>
    nextConsumer(target, workload, before.get(workload.metadata.uid), options),
  );
  if (all.length <= MAX_CONSUMERS) return all;
  const [rolled, others] = [all.filter(isRolledOut), all.filter((consumer) => !isRolledOut(consumer))];
  return [...rolled, ...others].slice(0, MAX_CONSUMERS);
}

function isRolledOut({ state }: Consumer): boolean {
  return state !== 'LeftAlone';
}

/** Those that the status has already, with nobody new: for when nothing is known of the Secret but what the status says. */
export function refreshedConsumers(target: ConsumedTarget, options: ConsumerOptions): readonly Consumer[] {
  const known = new Set(options.before.map((consumer) => consumer.uid));
  return nextConsumers(target, options).filter((consumer) => known.has(consumer.uid));
}

function usersOf({ namespace, name, rollout }: ConsumedTarget, workloads: Workloads): readonly Workload[] {
  const listed = (rollout.workloads ?? []).flatMap((item) => workloads.get(item.kind, namespace, item.name) ?? []);
  const all = [...workloads.usersOf(namespace, name), ...listed];
  const distinct = new Map(all.map((workload) => [workload.metadata.uid, workload]));
  return [...distinct.values()]
    .filter((workload) => workload.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => compare(a.kind, b.kind) || compare(a.metadata.name, b.metadata.name));
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
  const reason = whyLeftAlone(target.rollout, workload, uses);
  if (reason !== undefined) return { ...consumer, state: 'LeftAlone', message: reason };
  const marker = workload.markers.get(target.marker);
  const evidence = { createdAt: metadata.creationTimestamp, marker, entry: before };
  const content = contentRunBy(evidence, options.secret);
  if (content !== options.secret.content) return { ...consumer, ...dueState(content, before, workload, options) };
  const rolled = marker?.ours === true;
  return { ...consumer, content, versions: options.summary, ...progressState(content, rolled, before, workload) };
}

type State = Pick<Consumer, 'state' | 'message' | 'content' | 'versions' | 'template' | 'since'>;

/** Of a workload whose pods run something else than the Secret holds. */
function dueState(
  content: string,
  before: Consumer | undefined,
  workload: Workload,
  { waiting }: ConsumerOptions,
): State {
  const versions = before?.content === content && before.versions !== undefined ? { versions: before.versions } : {};
  const message = messageOf(waiting(workload.metadata.uid));
  return { state: 'Waiting', content, ...versions, ...message, ...templateOf(before) };
}

/** Of a workload whose template is made for what the Secret holds. */
function progressState(
  content: string,
  rolled: boolean,
  before: Consumer | undefined,
  { progress, markedAt }: Workload,
): State {
  if (!rolled) return { state: 'Complete' };
  // A later rollout for another target is not about this one.
  const began = (before?.content === content ? before.since : undefined) ?? markedAt;
  const since = began === undefined ? {} : { since: began };
  // Whatever its owners do with it later is not about this content any more.
  const settled = before?.content === content && before.state === 'Complete';
  if (settled || progress.state === 'Complete') return { state: 'Complete', ...since };
  // How many pods are through changes all the time, and is the workload's own to tell.
  const message = progress.state === 'Progressing' ? undefined : progress.detail;
  return { state: progress.state, ...since, ...templateOf(before), ...messageOf(message) };
}

function messageOf(message: string | undefined): Pick<State, 'message'> {
  return message === undefined ? {} : { message };
}

function templateOf(before: Consumer | undefined): Pick<State, 'template'> {
  return before?.template === undefined ? {} : { template: before.template };
}

/** Why a workload is only reported; undefined where it is rolled out. */
function whyLeftAlone(
  rollout: RolloutSpec,
  { kind, metadata, choice }: Workload,
  uses: readonly Use[],
): string | undefined {
  if (kind === 'Pod' || kind === 'Job') return `a ${kind} is never restarted`;
  if (rollout.policy === 'Never') return 'rollout.policy is Never';
  if (choice === 'out') return `its annotation ${annotations.rollout} says "false"`;
  if (rollout.policy === 'Listed') {
    const listed = rollout.workloads?.some((item) => item.kind === kind && item.name === metadata.name) === true;
    return listed ? undefined : 'rollout.workloads does not list it';
  }
  if (kind === 'CronJob' && choice !== 'in')
    return `a CronJob is marked only with the annotation ${annotations.rollout}: "true"`;
  return uses.every((use) => use === 'imagePull') ? 'it uses the Secret to pull images only' : undefined;
}
