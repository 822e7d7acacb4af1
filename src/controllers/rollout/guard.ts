import type { Consumer, Guard, VersionSet } from '../../api/v1/rollout.ts';
import type { Verdict } from './pods.ts';
import type { Workload } from './workload.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';

/** The versions that the target holds now, as a set to come back to; undefined where nothing was written yet. */
export function presentSet(status: SecretReferenceStatus): VersionSet | undefined {
  const { target, versions = [], summary = '-' } = status;
  if (target?.content === undefined) return undefined;
  return {
    content: target.content,
    inputs: target.inputs,
    summary,
    versions: versions.map(({ manager, secret, requested, version, identity }) => ({
      manager,
      secret,
      requested,
      version,
      identity,
    })),
  };
}

/** Whether every workload that is rolled out runs what the Secret holds. */
export function isRolledOut(consumers: readonly Consumer[]): boolean {
  return consumers.every(({ state }) => state === 'Complete' || state === 'LeftAlone');
}

/**
 * Where a change that is about to be made would go back to: the versions that rolled out completely last. While a rollout is under way
 * they are those that it started from.
 */
export function fallbackOf(status: SecretReferenceStatus): Pick<Guard, 'good' | 'refusal'> | undefined {
  if (status.guard !== undefined) return status.guard;
  if (status.held !== undefined) return { good: status.held.good };
  const present = presentSet(status);
  return present !== undefined && isRolledOut(status.consumers ?? []) ? { good: present } : undefined;
}

/** Whether a failed consumer is answered by going back. */
export interface GuardDecision {
  readonly action: 'revert' | 'report';
  /** What failed, and why it is not answered by going back where it is not. */
  readonly message: string;
}

/** Goes back only for what the new versions did: pods that ran on them and failed, in a template that nobody else changed. */
export function decideRevert(
  guard: Guard,
  consumer: Consumer,
  { updates }: Pick<Workload, 'updates'>,
  fingerprint: string | undefined,
  verdict: Verdict,
): GuardDecision {
  const reported = consumer.message ?? 'its rollout failed';
  const why = verdict.detail === '' ? reported : `${reported}, ${verdict.detail}`;
  if (!verdict.failing) return { action: 'report', message: why };
  if (guard.refusal !== undefined) return { action: 'report', message: `${why}. Not reverted: ${guard.refusal}` };
  if (updates === 'OnDelete') {
    return { action: 'report', message: `${why}. Not reverted: with OnDelete its pods are replaced by hand` };
  }
  if (consumer.template === undefined || consumer.template !== fingerprint) {
    return { action: 'report', message: `${why}. Not reverted: more than this Secret changed in its pod template` };
  }
  return { action: 'revert', message: why };
}
