import { annotations } from '../../api/v1/names.ts';
import type { RolledOutReason } from '../../api/v1/conditions.ts';
import type { Consumer, ConsumerState, Held, RolloutSpec } from '../../api/v1/rollout.ts';
import { MAX_CONSUMERS, takesPart } from './consumers.ts';

export interface RolledOut {
  readonly status: 'True' | 'False';
  readonly reason: RolledOutReason;
  readonly message: string;
}

/** The reference that the condition is about. */
export interface RolledOutSubject {
  readonly namespace: string;
  readonly name: string;
}

/** What a state of one consumer makes of the whole, the worst first. */
const reasons: readonly (readonly [RolledOutReason, readonly ConsumerState[]])[] = [
  ['Failed', ['Failed', 'Stuck']],
  ['Waiting', ['Waiting']],
  ['Progressing', ['Progressing']],
  ['Paused', ['Paused', 'WaitingForDelete', 'Partial']],
];

/** The condition `RolledOut` of a reference: whether those that use its Secret run what it holds. */
export function rolledOut(
  reference: RolledOutSubject,
  secret: string,
  summary: string,
  rollout: RolloutSpec,
  consumers: readonly Consumer[],
  held?: Held,
  content?: string,
): RolledOut {
  if (held !== undefined) {
    const holds = content === undefined || content === held.good.content;
    return { status: 'False', reason: 'Reverted', message: revertedText(reference, held, holds) };
  }
  const rolled = consumers.filter(takesPart);
  if (rolled.length >= MAX_CONSUMERS) {
    const message = `at most ${MAX_CONSUMERS} workloads of one Secret are rolled out, the first by kind and name: give some of them a SecretReference of their own`;
    return { status: 'False', reason: 'Failed', message };
  }
  for (const [reason, states] of reasons) {
    const [first, ...others] = rolled.filter(({ state }) => states.includes(state));
    if (first === undefined) continue;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return { status: 'False', reason, message: `${consumerText(first)}${more}` };
  }
  const absent = absentText(rollout, consumers);
  if (rolled.length === 0) {
    return { status: 'True', reason: 'NothingToRollOut', message: `${nothingText(secret, rollout)}${absent}` };
  }
  const who =
    rolled.length === 1
      ? rolled.map(({ kind, name }) => `${kind} ${name} runs`).join()
      : `${rolled.length} workloads run`;
  return { status: 'True', reason: 'Complete', message: `${who} ${summary}${absent}` };
}

function consumerText({ kind, name, state, message }: Consumer): string {
  return `${kind} ${name}: ${message ?? texts[state]}`;
}

const texts: Readonly<Record<ConsumerState, string>> = {
  Complete: 'its pods run the content',
  Progressing: 'its pods are being replaced',
  Failed: 'its new pods do not become ready',
  Paused: 'it is paused, and follows when it is resumed',
  Waiting: 'it is about to be rolled out',
  WaitingForDelete: 'its update strategy is OnDelete: delete its pods one by one',
  Partial: 'its partition holds some pods back',
  Stuck: 'a pod has to be deleted for it to go on',
  LeftAlone: 'it is left alone',
};

/** A name in `rollout.workloads` that nobody has: a slip, or it is created later. */
function absentText({ workloads = [] }: RolloutSpec, consumers: readonly Consumer[]): string {
  const found = new Set(consumers.map(({ kind, name }) => `${kind} ${name}`));
  const absent = workloads.map(({ kind, name }) => `${kind} ${name}`).filter((item) => !found.has(item));
  return absent.length === 0 ? '' : `. In rollout.workloads, but not in this namespace: ${absent.join(', ')}`;
}

function nothingText(secret: string, { policy }: RolloutSpec): string {
  return policy === 'Never' ? 'rollout.policy is Never' : `no workload that is rolled out uses Secret ${secret}`;
}

function revertedText({ namespace, name }: RolledOutSubject, { bad, good, why }: Held, holds: boolean): string {
  return `the rollout of ${bad.summary} failed (${why}), so the Secret ${holds ? 'holds' : 'goes back to'} ${good.summary}${holds ? ' again' : ''}. It stays so until there is yet another version, or somebody asks: kubectl annotate sref -n ${namespace} ${name} ${annotations.retry}="$(date)" --overwrite`;
}
