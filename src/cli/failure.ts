import { KubeError } from '../kube/errors.ts';
import { describeError, safeMessage } from '../runtime/errors.ts';
import { CliError } from './context.ts';
import { printable } from './table.ts';

/** What to tell a person, in one line, of anything that was thrown, and how to end. */
export function describeFailure(error: unknown, signal: AbortSignal): { message: string; exitCode: number } {
  if (error instanceof CliError) return { message: error.message, exitCode: error.exitCode };
  if (signal.aborted) return { message: 'interrupted', exitCode: 130 };
  if (error instanceof KubeError) return { message: describeKubeError(error), exitCode: 1 };
  if (error instanceof Error && safeMessage in error) return { message: error.message, exitCode: 1 };
  // Messages of other errors can quote what a library was given: the class and the place say enough for a report.
  const { error: description } = describeError(error);
  return { message: `this should not happen, please report it: ${printable(description)}`, exitCode: 1 };
}

/** What the API server refused, in the words of our own policies where it was one of them. */
export function describeKubeError(error: KubeError): string {
  if (error.status === 401)
    return 'the API server does not know you: log in again, then check with kubectl auth whoami';
  if (error.status === 0 && error.reason === 'ConnectionFailed') {
    return `${error.message}: the API server can't be reached; check the kubeconfig and the network`;
  }
  if (error.status === 404 && error.subject.resource.endsWith('.keyferry.io') && isMissingKind(error)) {
    return 'this cluster does not have Keyferry: its CRDs are not installed';
  }
  return policyWords(error.message) ?? error.message;
}

/** A 404 that has no reason of its own: not the object is missing but its kind. */
function isMissingKind(error: KubeError): boolean {
  return error.message.includes('could not find the requested resource') || error.message.endsWith('404');
}

/** `... ValidatingAdmissionPolicy 'x' with binding 'y' denied request: ann may not put db` -> `ann may not put db`. */
function policyWords(message: string): string | undefined {
  return /denied request: (?<words>.+)$/.exec(message)?.groups?.['words'];
}
