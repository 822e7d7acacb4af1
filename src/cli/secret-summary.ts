import { conditionOf } from '../api/v1/conditions.ts';
import type { StoredVersion } from '../api/v1/versioned-secret.ts';
import { nameOf, type SecretObject } from '../managers/embedded/client/objects.ts';

/** One line of `keyferry list`. */
export interface SecretSummary {
  readonly namespace: string;
  readonly name: string;
  readonly object: string;
  readonly type: string | undefined;
  /** A number, or what AWS calls it. */
  readonly latest: number | string | undefined;
  /** When the latest version was put. */
  readonly updated: string | undefined;
  readonly createdBy: string | undefined;
  readonly users: number;
  readonly status: string;
  readonly description: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly created: string | undefined;
}

export function summaryOf(secret: SecretObject): SecretSummary {
  const { metadata, spec, status } = secret;
  const latest = latestOf(secret);
  return {
    namespace: metadata.namespace,
    name: nameOf(secret),
    object: metadata.name,
    type: spec.type,
    latest: status.latest,
    updated: latest?.createdAt,
    createdBy: latest?.createdBy,
    users: status.users ?? status.usedBy?.length ?? 0,
    status: stateOf(secret),
    description: spec.description,
    labels: metadata.labels,
    created: metadata.creationTimestamp,
  };
}

/** One word: what is wrong first, then what is due. */
export function stateOf({ metadata, status }: SecretObject): string {
  if (metadata.deletionTimestamp !== undefined) return 'Deleting';
  const ready = conditionOf(status, 'Ready');
  if (ready === undefined) return 'Pending';
  if (ready.status !== 'True') return ready.reason;
  return conditionOf(status, 'RotationDue')?.status === 'True' ? 'RotationDue' : ready.reason;
}

function latestOf({ status }: SecretObject): StoredVersion | undefined {
  return status.versions?.find(({ version }) => version === status.latest);
}
