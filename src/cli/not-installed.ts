import { group } from '../api/v1/names.ts';
import { KubeError } from '../kube/errors.ts';
import type { Transport, TransportRequest } from '../kube/transport.ts';
import { CliError } from './context.ts';

/** A transport that says in plain words where the cluster does not know our kinds: the API server only answers 404, as for an object that is missing. */
export function explainMissingKinds(transport: Transport, server: string): Transport {
  const explained = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw isOurKindMissing(error) ? notInstalled(server) : error;
    }
  };
  return {
    call: (request: TransportRequest) => explained(transport.call(request)),
    stream: (request: TransportRequest) => explained(transport.stream(request)),
    close: () => transport.close(),
  };
}

/** An object or namespace that is missing has the reason `NotFound`; a path that nobody serves is answered by a text without one. */
function isOurKindMissing(error: unknown): boolean {
  if (!(error instanceof KubeError) || error.status !== 404) return false;
  return error.subject.resource.endsWith(`.${group}`) && error.reason !== 'NotFound';
}

function notInstalled(server: string): CliError {
  return new CliError(
    `Keyferry is not installed in this cluster (its CRDs are missing): install its chart, or choose another cluster by --context. Asked was ${server}`,
  );
}
