import type { AuditEntry } from '../audit.ts';
import type { SecretVersion } from './secret-version.ts';

/** So many objects of one secret may wait, or stand there refused: whoever may put must not fill the cluster's storage with them. */
const MOST_WAITING = 200;

export const tooManyWait = `${MOST_WAITING} versions of this secret wait already, or stand there refused: remove those first`;

/** The youngest beyond what may wait. */
export function tooManyWaiting(versions: readonly SecretVersion[]): readonly SecretVersion[] {
  if (versions.length <= MOST_WAITING) return [];
  return versions.toSorted(byAge).slice(MOST_WAITING);
}

function byAge(a: SecretVersion, b: SecretVersion): number {
  const [from, to] = [a, b].map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '') || 0);
  return (from ?? 0) - (to ?? 0) || a.spec.version - b.spec.version;
}

/** For the audit log. */
export function excessNote({
  spec,
}: SecretVersion): Pick<AuditEntry, 'action' | 'user' | 'version' | 'result' | 'reason'> {
  const { version, createdBy: user = 'not named' } = spec;
  return { action: 'reject', user, version, result: 'Rejected', reason: 'LimitExceeded' };
}
