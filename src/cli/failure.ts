import { KubeError } from '../kube/errors.ts';
import { refusalText } from '../managers/embedded/client/refusal.ts';
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

/** What the API server refused, or why it did not answer. */
function describeKubeError(error: KubeError): string {
  return error.reason === 'ConnectionFailed'
    ? `${error.message}: the API server can't be reached; check the kubeconfig and the network`
    : refusalText(error);
}
