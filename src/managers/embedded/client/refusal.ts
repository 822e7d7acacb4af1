import { KubeError } from '../../../kube/errors.ts';
import { ManagerError } from '../../errors.ts';
import { denialText } from './denial.ts';

/**
 * Makes a call, and turns what the API server refuses into the error that managers throw. Another error passes, so does the reason of an aborted signal.
 * @param secret the name of the object of the secret that it is about, where the object of the call is one of another name: a refusal then says it
 */
export async function asking<T>(call: () => Promise<T>, secret?: string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof KubeError ? managerErrorOf(error, secret) : error;
  }
}

/** What the API server refused, as a manager says it. */
export function managerErrorOf(error: KubeError, secret?: string): ManagerError {
  const message = refusalText(error, secret);
  const options = error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter };
  if (quotaText(error) !== undefined) return new ManagerError('LimitExceeded', message);
  if (error.status === 401 || error.status === 403) return new ManagerError('AccessDenied', message);
  if (error.status === 422 || error.status === 400) return new ManagerError('InvalidValue', message);
  if (error.status === 429) return new ManagerError('Throttled', message, options);
  return new ManagerError('ManagerUnavailable', message, options);
}

/** Why the API server refused, in the words of our own policies where it was one of them, or RBAC that answered before they could. */
export function refusalText(error: KubeError, secret?: string): string {
  if (error.status === 401)
    return 'the API server does not know you: log in again, then check with kubectl auth whoami';
  if (error.status === 404 && error.message.includes('could not find the requested resource')) {
    return 'this cluster does not have Keyferry: its CRDs are not installed';
  }
  return policyText(error.message) ?? quotaText(error) ?? rbacText(error, secret) ?? error.message;
}

/** `... ValidatingAdmissionPolicy 'x' with binding 'y' denied request: ann may not put db` -> `ann may not put db`. */
function policyText(message: string): string | undefined {
  return /denied request: (?<text>.+)$/.exec(message)?.groups?.['text'];
}

function rbacText({ status, subject, message }: KubeError, secret: string | undefined): string | undefined {
  if (status !== 403) return undefined;
  // `namespace/name` or a name; of a list, the namespace alone.
  const name = subject.verb === 'list' ? '' : subject.object.slice(subject.object.indexOf('/') + 1);
  return denialText(message, name, secret);
}

/**
 * `... is forbidden: exceeded quota: q, requested: ..., used: ..., limited: count/secretversions.keyferry.io=20`: that nobody lacks a right is not seen at
 * once in the API server's words. Its end may be cut off.
 */
function quotaText({ status, message, subject }: KubeError): string | undefined {
  const groups = /: exceeded quota: (?<quota>[^,]+),(?:.* limited: count\/[^=,]+=(?<limit>\d+)$)?/.exec(
    message,
  )?.groups;
  if (status !== 403 || groups?.['quota'] === undefined) return undefined;
  const { quota, limit } = groups;
  const [namespace = ''] = subject.object.split('/');
  const most = limit === undefined ? '' : ` (at most ${limit})`;
  return `ResourceQuota ${quota} of namespace ${namespace} allows no more ${subject.resource}${most}: delete what nobody needs, or have the quota raised`;
}
