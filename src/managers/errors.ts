import { safeMessage } from '../runtime/errors.ts';

/** Why a manager did not give what was asked. The names are also reasons of the condition `Ready`. */
export type ManagerErrorReason =
  | 'SecretNotFound'
  | 'NoVersion'
  | 'VersionNotFound'
  | 'VersionDisabled'
  | 'AccessDenied'
  | 'InvalidValue'
  | 'LimitExceeded'
  | 'Throttled'
  | 'ManagerUnavailable';

const TRANSIENT: ReadonlySet<ManagerErrorReason> = new Set(['Throttled', 'ManagerUnavailable']);

/**
 * The one error that managers throw and return. `message` is a fixed text of ours (it may name the secret, the version and what
 * to do), without request ids or times, so that the same fault always reads the same; a backend's own text never gets in. One that is transient is shown to
 * everybody whose secrets could not be asked at the time: it names no secret.
 */
export class ManagerError extends Error {
  override readonly name = 'ManagerError';
  /** @internal */
  readonly [safeMessage] = true;
  readonly reason: ManagerErrorReason;
  /** Milliseconds that the backend asked to wait, where it did. */
  readonly retryAfter: number | undefined;
  /** Of a transient one: it says something of one secret, and nothing of the manager, however many have the same trouble. */
  readonly ofOneSecret: boolean;

  constructor(
    reason: ManagerErrorReason,
    message: string,
    options: { retryAfter?: number; ofOneSecret?: boolean } = {},
  ) {
    super(message);
    this.reason = reason;
    this.retryAfter = options.retryAfter;
    this.ofOneSecret = options.ofOneSecret ?? false;
  }

  /** True where the manager could not be asked: nothing is known. False where it gave a definite answer. */
  get transient(): boolean {
    return TRANSIENT.has(this.reason);
  }
}
