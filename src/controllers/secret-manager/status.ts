import { isDeepStrictEqual } from 'node:util';
import { type Condition, conditionOf } from '../../api/v1/conditions.ts';
import type { ManagerStatus } from '../../api/v1/secret-manager.ts';
import type { ManagerErrorReason } from '../../managers/errors.ts';
import { backendOf } from '../../managers/registry.ts';
import type { ManagerObject } from './manager-object.ts';
import type { Identity } from './probe.ts';

export interface Usage {
  readonly secrets: number;
  readonly subscribers: number;
}

/** What values are sealed with: `unknown` while it is not known yet. */
export type Sealing =
  | { readonly state: 'unknown' }
  | { readonly state: 'missing'; readonly problem: string }
  | {
      readonly state: 'known';
      readonly publicKey: string;
      readonly cluster: string;
      readonly backup?: string | undefined;
    };

export interface ManagerFindings {
  /** Why it can't work as it is written; what to do. */
  readonly problem: string | undefined;
  /** Why the backend can't be asked at present. */
  readonly outage: ManagerErrorReason | undefined;
  readonly identity: Identity | undefined;
  /** Undefined while it is not known yet: what was counted before stays. */
  readonly usage: Usage | undefined;
  /** Undefined where nothing is sealed. */
  readonly sealing?: Sealing | undefined;
}

/** The status as it should be. Nothing in it changes with a poll. */
export function nextManagerStatus(object: ManagerObject, findings: ManagerFindings, now: string): ManagerStatus {
  const { metadata, status } = object;
  const { identity, usage = lastUsage(status) } = findings;
  const before = conditionOf(status, 'Ready');
  const draft = readiness(findings) ?? before ?? ASKING;
  const ready: Condition = {
    type: 'Ready',
    status: draft.status,
    reason: draft.reason,
    message: draft.message,
    observedGeneration: metadata.generation,
    lastTransitionTime: before?.status === draft.status ? before.lastTransitionTime : now,
  };
  const backend = backendOf(object.spec);
  // Who the operator was for another backend says nothing about this one.
  const former = status.backend === backend ? status.identity : undefined;
  const who = identity?.state === 'known' ? identity.identity : former;
  return {
    observedGeneration: metadata.generation,
    conditions: [ready],
    ...(backend === undefined ? {} : { backend }),
    ...(who === undefined ? {} : { identity: who }),
    secretsInUse: usage.secrets,
    referencesInUse: usage.subscribers,
    ...sealingStatus(findings.sealing, status),
  };
}

/** What putters need to know. While the operator itself does not know it, it is as it was. */
function sealingStatus(
  sealing: Sealing | undefined,
  before: ManagerStatus,
): Pick<ManagerStatus, 'publicKey' | 'cluster' | 'keyBackup'> {
  if (sealing === undefined || sealing.state === 'missing') return {};
  const known = sealing.state === 'known' ? { ...sealing, keyBackup: sealing.backup } : before;
  const { publicKey, cluster, keyBackup } = known;
  return {
    ...(publicKey !== undefined && { publicKey }),
    ...(cluster !== undefined && { cluster }),
    ...(keyBackup !== undefined && { keyBackup }),
  };
}

function lastUsage({ secretsInUse = 0, referencesInUse = 0 }: ManagerStatus): Usage {
  return { secrets: secretsInUse, subscribers: referencesInUse };
}

export function sameManagerStatus(a: ManagerStatus, b: ManagerStatus): boolean {
  return isDeepStrictEqual(a, b);
}

type Draft = Pick<Condition, 'status' | 'reason' | 'message'>;

const ASKING: Draft = { status: 'Unknown', reason: 'Asking', message: 'the backend has not answered yet' };

/** Undefined while the backend is being asked: what was said before stays. */
function readiness({ problem, outage, identity, sealing }: ManagerFindings): Draft | undefined {
  if (problem !== undefined) return { status: 'False', reason: 'InvalidSettings', message: problem };
  if (sealing?.state === 'missing') {
    const message = `no value can be put, and those that were are as they were: ${sealing.problem}`;
    return { status: 'False', reason: 'SealingKeyMissing', message };
  }
  if (outage !== undefined) {
    const message = 'the backend does not answer; the Secrets keep their last values';
    return { status: 'False', reason: outage, message };
  }
  if (identity?.state === 'refused') {
    const { reason, message, transient } = identity.error;
    return { status: transient ? 'Unknown' : 'False', reason, message };
  }
  if (identity?.state === 'known') {
    return { status: 'True', reason: 'Ready', message: `the backend answers as ${identity.identity}` };
  }
  return undefined;
}
