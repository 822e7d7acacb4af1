import { safeMessage } from '../runtime/errors.ts';

/** What a call was about, for messages: `cannot apply secrets shop/api-db: ...`. */
export interface CallSubject {
  /** `get`, `list`, `watch`, `create`, `apply`, `patch` or `delete`. */
  readonly verb: string;
  /** The plural name of the resource, with its group if it has one: `secrets`, `leases.coordination.k8s.io`. */
  readonly resource: string;
  /** `namespace/name`, a name, a namespace, or empty. */
  readonly object: string;
  /** True where what the API server says may quote a secret value: then none of its sentences is kept. */
  readonly sensitive: boolean;
}

/** One reason among those that the API server gave. */
export interface KubeErrorCause {
  /** `FieldValueInvalid`, `FieldManagerConflict`, ...; empty if not given. */
  readonly reason: string;
  /** Path of the field, such as `spec.data[0]` or `.data.password`; empty if not given. */
  readonly field: string;
  /** For a `FieldManagerConflict`: who owns the field; else empty. */
  readonly manager: string;
}

/** Reasons that the API server does not know: what went wrong before, or instead of, its answer. */
export type LocalReason =
  | 'ConnectionFailed'
  | 'CredentialsFailed'
  | 'DeadlineExceeded'
  | 'InvalidRequest'
  | 'InvalidResponse';

export interface KubeErrorInit {
  readonly subject: CallSubject;
  /** HTTP status, or 0 where there was no answer. */
  readonly status: number;
  /** `Status.reason` of the API server (`NotFound`, `Conflict`, ...), a `LocalReason`, or empty. */
  readonly reason: string;
  /** A sentence for people: never the server's own for a sensitive subject. */
  readonly detail?: string;
  readonly causes?: readonly KubeErrorCause[];
  /** Milliseconds that the server asked to wait for. */
  readonly retryAfter?: number | undefined;
  readonly mayHaveTakenEffect?: boolean;
}

/**
 * A call to the API server that failed. Its message is made of our words, the status, the reason and field names; it has no `cause`,
 * since the errors of parsers and sockets quote what they read.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly [safeMessage] = true;
  readonly subject: CallSubject;
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly KubeErrorCause[];
  /** Milliseconds that the server asked to wait for, if it did. */
  readonly retryAfter: number | undefined;
  /** False where it is certain that the call changed nothing. */
  readonly mayHaveTakenEffect: boolean;

  constructor(init: KubeErrorInit) {
    super(describeFailure(init));
    this.subject = init.subject;
    this.status = init.status;
    this.reason = init.reason;
    this.causes = init.causes ?? [];
    this.retryAfter = init.retryAfter;
    this.mayHaveTakenEffect = init.mayHaveTakenEffect ?? false;
  }
}

function describeFailure(init: KubeErrorInit): string {
  const { verb, resource, object } = init.subject;
  const what = [verb, resource, object].filter((part) => part !== '').join(' ');
  const status = init.status === 0 ? [] : [String(init.status)];
  const why = [...status, init.reason].filter((part) => part !== '').join(' ');
  const fields = [...new Set((init.causes ?? []).map(describeCause))].filter((part) => part !== '');
  const details = [init.detail ?? '', fields.join(', ')].filter((part) => part !== '');
  return [`cannot ${what}: ${why}`, ...details].join(': ');
}

function describeCause(cause: KubeErrorCause): string {
  return cause.manager === '' ? cause.field : `${cause.field} belongs to ${cause.manager}`;
}

export function isNotFound(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 404;
}

/** The object is not as the call presumed: a precondition, a resource version or the ownership of a field does not hold. */
export function isConflict(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** The resource version or page that was asked for is too old: list again. */
export function isGone(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 410;
}

/** Also what an admission webhook answers that gives no code of its own. */
export function isBadRequest(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 400;
}

export function isForbidden(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 403;
}

export function isInvalid(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 422;
}

export function isTooManyRequests(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 429;
}

/** No answer in time, by our deadline or by the server's own. */
export function isTimeout(error: unknown): error is KubeError {
  return (
    error instanceof KubeError && (error.reason === 'DeadlineExceeded' || error.status === 504 || error.status === 408)
  );
}

/** The API server can't be reached, does not answer in time, or fails: worth another try later. */
export function isUnavailable(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) {
    return false;
  }
  return error.status >= 500 || (error.status === 0 && error.reason !== 'InvalidRequest');
}
