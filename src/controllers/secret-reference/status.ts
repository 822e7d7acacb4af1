import { isDeepStrictEqual } from 'node:util';
import { type Condition, conditionOf } from '../../api/v1/conditions.ts';
import type { Consumer, Guard, Held } from '../../api/v1/rollout.ts';
import type { HeldVersion, SecretReferenceStatus, TargetStatus } from '../../api/v1/secret-reference.ts';
import type { Suspension } from '../../api/v1/suspension.ts';
import type { Trouble } from '../../managers/topic.ts';
import type { SecretContent } from '../rollout/ledger.ts';
import type { RolledOut } from '../rollout/rolled-out.ts';
import type { Failure } from './failure.ts';
import { summaryOf } from './held-versions.ts';
import type { Reference } from './reference.ts';

/** What a reconcile found, as far as a status says it. */
export interface Findings {
  readonly outcome:
    | {
        readonly state: 'synced';
        readonly versions: readonly HeldVersion[];
        readonly target: TargetStatus;
        /** What the Secret says of its content. */
        readonly secret: SecretContent;
        readonly changed: boolean;
      }
    /** `released`: the target was given up, because its access was revoked. */
    | { readonly state: 'failed'; readonly failure: Failure; readonly released: boolean }
    | { readonly state: 'suspended'; readonly suspension: Suspension };
  readonly trouble: Trouble | undefined;
  readonly syncRequest: string | undefined;
  /** Undefined where workloads are not rolled out at all. */
  readonly rollout?: RolloutFindings | undefined;
}

/** How far the consumers are, and what guards them. */
export interface RolloutFindings {
  readonly consumers: readonly Consumer[];
  readonly condition: RolledOut | undefined;
  readonly guard: Guard | undefined;
  readonly held: Held | undefined;
}

/** The status as it should be. Pure; `now` is used only where something changes. */
export function nextStatus(reference: Reference, findings: Findings, now: string): SecretReferenceStatus {
  const { metadata, status } = reference;
  const { versions, target, lastChangeTime } = held(status, findings.outcome, now);
  const lastSyncRequest = findings.syncRequest ?? status.lastSyncRequest;
  const { rollout } = findings;
  const rolledOut = rollout?.condition === undefined ? [] : [{ type: 'RolledOut', ...rollout.condition }];
  const conditions = [readyCondition(reference, findings), staleCondition(reference, findings), ...rolledOut].map(
    (condition) => stamped(condition, status.conditions ?? [], metadata.generation, now),
  );
  return {
    observedGeneration: metadata.generation,
    conditions,
    summary: summaryOf(versions ?? []),
    ...(versions === undefined ? {} : { versions: [...versions] }),
    ...(target === undefined ? {} : { target }),
    ...rolloutStatus(rollout),
    ...(lastChangeTime === undefined ? {} : { lastChangeTime }),
    ...(lastSyncRequest === undefined ? {} : { lastSyncRequest }),
  };
}

function rolloutStatus(
  rollout: RolloutFindings | undefined,
): Pick<SecretReferenceStatus, 'consumers' | 'guard' | 'held'> {
  if (rollout === undefined) return {};
  const { consumers, guard, held: heldBack } = rollout;
  return {
    ...(consumers.length === 0 ? {} : { consumers: [...consumers] }),
    ...(guard === undefined ? {} : { guard }),
    ...(heldBack === undefined ? {} : { held: heldBack }),
  };
}

interface Holding {
  readonly versions?: readonly HeldVersion[] | undefined;
  readonly target?: TargetStatus | undefined;
  readonly lastChangeTime?: string | undefined;
}

/** What the target holds: what was just found, else what was known before. */
function held(status: SecretReferenceStatus, outcome: Findings['outcome'], now: string): Holding {
  const { lastChangeTime } = status;
  if (outcome.state === 'synced') return { ...outcome, lastChangeTime: outcome.changed ? now : lastChangeTime };
  return outcome.state === 'failed' && outcome.released ? { lastChangeTime } : status;
}

export function sameStatus(a: SecretReferenceStatus, b: SecretReferenceStatus): boolean {
  return isDeepStrictEqual(a, b);
}

/** True while the target holds values that fit the spec as it is now. */
function isSynced(reference: Reference): boolean {
  const { status, metadata } = reference;
  const ready = conditionOf(status, 'Ready');
  return ready?.status === 'True' && status.observedGeneration === metadata.generation && status.target !== undefined;
}

type Draft = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function readyCondition(reference: Reference, { outcome }: Findings): Draft {
  const type = 'Ready';
  if (outcome.state === 'synced') {
    return { type, status: 'True', reason: 'Synced', message: heldMessage(outcome) };
  }
  const synced = isSynced(reference);
  if (outcome.state === 'suspended') {
    const message = `suspended: ${outcome.suspension.message}`;
    return { type, status: synced ? 'True' : 'False', reason: 'Suspended', message };
  }
  const { failure } = outcome;
  // A manager that can't be asked takes nothing back: the Secret still holds what the manager last said.
  if (failure.transient && synced)
    return { type, status: 'True', reason: 'Synced', message: heldMessage(reference.status) };
  return { type, status: 'False', reason: failure.reason, message: failure.message };
}

function heldMessage({ target, versions }: Holding): string {
  return `Secret ${target?.name ?? ''} holds ${summaryOf(versions ?? [])}`;
}

function staleCondition(reference: Reference, { outcome, trouble }: Findings): Draft {
  const type = 'Stale';
  const unheard = outcome.state === 'failed' && outcome.failure.transient ? outcome.failure : undefined;
  // Without any trouble of a backend it is the manager itself that does not work.
  const problem = trouble === undefined ? unheard : trouble.stale ? trouble.error : undefined;
  if (problem !== undefined) {
    const kept = reference.status.target === undefined ? '' : ', the Secret keeps its last values';
    const message = `the manager can't be asked${kept}: ${problem.message}`;
    return { type, status: 'True', reason: problem.reason, message };
  }
  const before = conditionOf(reference.status, type);
  // A process that has just started and got no answer yet knows less than the status.
  if (unheard !== undefined && before?.status === 'True') return before;
  return { type, status: 'False', reason: 'UpToDate', message: 'the manager answers' };
}

/** Keeps the time of the last transition while the status of a condition stays. */
function stamped(draft: Draft, before: readonly Condition[], generation: number, now: string): Condition {
  const old = before.find((condition) => condition.type === draft.type);
  return {
    type: draft.type,
    status: draft.status,
    reason: draft.reason,
    message: draft.message,
    observedGeneration: generation,
    lastTransitionTime: old?.status === draft.status ? old.lastTransitionTime : now,
  };
}
