import type { RevealReason, SecretRevealSpec } from '../../api/v1/secret-reveal.ts';
import type { StoredVersion, VersionedSecretSpec } from '../../api/v1/versioned-secret.ts';
import type { EmbeddedSecret } from '../../managers/embedded/backend.ts';
import { formatDuration } from '../../runtime/duration.ts';
import type { GateState } from '../embedded/gate.ts';

export interface Refusal {
  readonly state: 'Refused';
  readonly reason: Exclude<RevealReason, 'Answered'>;
  /** Why, and what to do. */
  readonly message: string;
}

export interface Permit {
  readonly state: 'Permitted';
  readonly secret: EmbeddedSecret;
  readonly version: StoredVersion;
}

/**
 * Whether a request is looked at at all; `wait` while it is not known whether the policies are in force. One that came while they were not is refused for good:
 * it may be in the name of somebody else.
 */
export function decideRequest(late: boolean, ttl: number, gate: GateState): Refusal | 'wait' | 'look' {
  if (late) {
    return refused(
      'TooLate',
      `it waited ${formatDuration(ttl)} without an answer (the operator was away, or its clock is ahead) and is not answered any more: ask again`,
    );
  }
  if (gate.open) return 'look';
  if (gate.unsure === true) return 'wait';
  return refused('PolicyMissing', `nothing is revealed, as ${gate.message}. Then ask again`);
}

/** What a decision depends on. */
export interface RevealFacts {
  readonly spec: SecretRevealSpec;
  readonly namespace: string;
  /** Whether who asks may access the secret. */
  readonly allowed: boolean;
  /** As the operator knows it; undefined where there is none. */
  readonly secret: EmbeddedSecret | undefined;
  /** What its owner wants of it now, whatever the operator has heard so far; undefined where there is none. */
  readonly wanted: Pick<VersionedSecretSpec, 'writeOnly' | 'disabledVersions'> | undefined;
}

/** Decides one reveal. Who may not access a secret does not hear whether there is one. */
export function decideReveal({ spec, namespace, allowed, secret, wanted }: RevealFacts): Refusal | Permit {
  if (!allowed) {
    return refused(
      'NotAllowed',
      `${spec.requestedBy} may not access secret ${spec.secret} in namespace ${namespace}: it takes the verb access on versionedsecrets.keyferry.io, which keyferry grant gives`,
    );
  }
  if (secret === undefined || wanted === undefined) {
    return refused(
      'SecretNotFound',
      `there is no secret ${spec.secret} in namespace ${namespace}: keyferry list shows those that are there`,
    );
  }
  if (secret.problem !== undefined) {
    return refused('SecretNotFound', `secret ${secret.name} serves nobody: ${secret.problem.message}`);
  }
  if (secret.writeOnly || wanted.writeOnly) {
    return refused(
      'WriteOnly',
      `secret ${secret.name} is write-only: only references get its value, and nobody can have it revealed. Put a new value where it is lost`,
    );
  }
  return decideVersion(secret, spec.version ?? secret.latest, wanted.disabledVersions ?? []);
}

function decideVersion(
  secret: EmbeddedSecret,
  number: number | undefined,
  disabled: readonly number[],
): Refusal | Permit {
  if (number === undefined) {
    return refused('NoVersion', `secret ${secret.name} has no version yet: put one by keyferry put`);
  }
  const version = secret.versions.find((stored) => stored.version === number);
  if (version === undefined) {
    return refused('VersionNotFound', `secret ${secret.name} has no version ${number}: it has ${known(secret)}`);
  }
  if (version.state === 'Disabled' || disabled.includes(number)) {
    return refused(
      'VersionDisabled',
      `version ${number} of secret ${secret.name} is disabled: enable it, or ask for another`,
    );
  }
  return { state: 'Permitted', secret, version };
}

/** So many numbers are told, of the newest versions. */
const MOST_NUMBERS = 10;

function known({ versions }: EmbeddedSecret): string {
  if (versions.length === 0) return 'none';
  const numbers = versions.slice(0, MOST_NUMBERS).map(({ version }) => version);
  return numbers.join(', ') + (versions.length > MOST_NUMBERS ? ' and older ones' : '');
}

export function refused(reason: Refusal['reason'], message: string): Refusal {
  return { state: 'Refused', reason, message };
}
