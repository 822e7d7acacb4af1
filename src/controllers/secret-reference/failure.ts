import type { ReadyReason } from '../../api/v1/conditions.ts';

/** Why a reference can't be met at present: what its condition `Ready` says. */
export interface Failure {
  readonly reason: ReadyReason;
  readonly message: string;
  /** The manager could not be asked: nothing is known, so what was true before is not taken back. */
  readonly transient: boolean;
  /** A manager's access rules do not, or no longer, grant it. */
  readonly denied: 'Retain' | 'Delete' | undefined;
}

export function definite(reason: ReadyReason, message: string): Failure {
  return { reason, message, transient: false, denied: undefined };
}
