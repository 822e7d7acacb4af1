import { isDeepStrictEqual } from 'node:util';
import { type Condition, conditionOf } from '../../api/v1/conditions.ts';
import type {
  AuditRecord,
  Rejection,
  SecretReadyReason,
  StoredVersion,
  VersionedSecretStatus,
} from '../../api/v1/versioned-secret.ts';
import { stagesOf } from './history.ts';
import { formatRanges, type NumberRange } from './number-ranges.ts';
import { rotationDue } from './rotation.ts';
import type { Usage } from './users.ts';
import { type VersionedSecret, writtenName } from './versioned-secret.ts';

/** What a look at a secret found. */
export interface SecretFindings {
  readonly versions: readonly StoredVersion[];
  readonly gone: readonly NumberRange[];
  readonly lastVersion: number;
  readonly rejected: readonly Rejection[];
  /** Why it serves nobody, or takes no values. */
  readonly problem: { readonly reason: 'NameMismatch' | 'LimitExceeded'; readonly message: string } | undefined;
  readonly usage: Usage;
}

const MOST_REJECTED = 10;
const MOST_AUDIT = 20;

/** The status as it should be. `records` are new, oldest first. */
export function nextSecretStatus(
  secret: VersionedSecret,
  findings: SecretFindings,
  records: readonly AuditRecord[],
  now: number,
): VersionedSecretStatus {
  const { metadata, status } = secret;
  const { latest, previous } = stagesOf(findings.versions);
  const gone = formatRanges(findings.gone);
  const audit = [...records.toReversed(), ...(status.audit ?? [])].slice(0, MOST_AUDIT);
  const rejected = findings.rejected.slice(0, MOST_REJECTED);
  return {
    observedGeneration: metadata.generation,
    conditions: conditionsOf(secret, findings, latest, now),
    // For kubectl, whose columns know no alternative where spec.name is left out.
    name: writtenName(secret),
    ...(latest !== undefined && { latest }),
    ...(previous !== undefined && { previous }),
    ...(findings.lastVersion > 0 && { lastVersion: findings.lastVersion }),
    ...(gone !== '' && { gone }),
    ...(findings.versions.length > 0 && {
      versions: findings.versions.toSorted((a, b) => b.version - a.version),
    }),
    ...(rejected.length > 0 && { rejected }),
    ...(findings.usage.named.length > 0 && { usedBy: [...findings.usage.named] }),
    users: findings.usage.count,
    ...(audit.length > 0 && { audit }),
  };
}

/** Whether two statuses differ in more than who uses the secret and what was done with it: those may wait a little. */
export function isUrgent(before: VersionedSecretStatus, after: VersionedSecretStatus): boolean {
  return !isDeepStrictEqual(withoutUsage(before), withoutUsage(after));
}

function withoutUsage({ usedBy: _usedBy, users: _users, audit: _audit, ...rest }: VersionedSecretStatus) {
  return rest;
}

function conditionsOf(
  secret: VersionedSecret,
  findings: SecretFindings,
  latest: number | undefined,
  now: number,
): Condition[] {
  const ready = readiness(secret, findings, latest);
  const conditions = [condition(secret, 'Ready', ready, now)];
  const { rotateAfter } = secret.spec;
  if (rotateAfter === undefined) return conditions;
  const at = findings.versions.find(({ version }) => version === latest)?.createdAt;
  const { due } = rotationDue(rotateAfter, at, now);
  const words = due
    ? { status: 'True', reason: 'TooOld', message: `version ${latest} is older than ${rotateAfter}: put a new version` }
    : { status: 'False', reason: 'YoungEnough', message: `no version is older than ${rotateAfter}` };
  return [...conditions, condition(secret, 'RotationDue', { ...words, status: due ? 'True' : 'False' }, now)];
}

type Words = Pick<Condition, 'status' | 'reason' | 'message'>;

function readiness(secret: VersionedSecret, findings: SecretFindings, latest: number | undefined): Words {
  const { problem } = findings;
  if (problem !== undefined && (latest === undefined || problem.reason === 'NameMismatch')) {
    return { status: 'False', ...problem };
  }
  if (latest === undefined) {
    const command = `keyferry put "${writtenName(secret)}" -n ${secret.metadata.namespace}`;
    return {
      status: 'False',
      reason: 'Empty' satisfies SecretReadyReason,
      message: `it has no version yet: ${command}`,
    };
  }
  if (findings.versions.some(({ version, state }) => version === latest && state === 'Disabled')) {
    const message = `version ${latest}, which is the latest, is disabled: put a new one, roll back, or enable it`;
    return { status: 'False', reason: 'VersionDisabled' satisfies SecretReadyReason, message };
  }
  return { status: 'True', reason: 'Available' satisfies SecretReadyReason, message: `latest is version ${latest}` };
}

function condition({ metadata, status }: VersionedSecret, type: string, words: Words, now: number): Condition {
  const before = conditionOf(status, type);
  const since = before?.status === words.status ? before.lastTransitionTime : new Date(now).toISOString();
  return { type, ...words, observedGeneration: metadata.generation, lastTransitionTime: since };
}
