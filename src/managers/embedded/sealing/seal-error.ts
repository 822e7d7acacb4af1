import { safeMessage } from '../../../runtime/errors.ts';

/**
 * - `InvalidSeal`: it can't be opened, by nobody or not by us.
 * - `WrongPlace`: it was sealed for another secret, version or cluster.
 */
export type SealErrorReason = 'InvalidSeal' | 'WrongPlace';

/** A sealed value that is not accepted. Trying again does not help. The message is a fixed text of ours. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly [safeMessage] = true;
  readonly reason: SealErrorReason;

  constructor(reason: SealErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
