import { group as keyferry } from '../../src/api/v1/names.ts';
import { rolledPlurals } from '../../src/api/v1/workload-resources.ts';
import type { Transport } from '../../src/kube/transport.ts';

/** What the API server was asked since it began. All but leases and reads is the operator's: nobody else writes these kinds while it is measured. */
export interface ApiCounts {
  /** Writes of Secrets, references, managers and workloads, whatever came of them. */
  readonly writes: number;
  readonly secretWrites: number;
  /** Writes of the status of references. */
  readonly statusWrites: number;
  /** Writes of what has a pod template, and of pods. */
  readonly workloadWrites: number;
  readonly events: number;
  readonly leases: number;
  /** Secrets that were read one by one, and references. */
  readonly secretReads: number;
  readonly referenceReads: number;
  /** Whatever a person asks of embedded secrets: watches, and what the operator asks by dry run, left out. */
  readonly embeddedCalls: number;
}

interface ApiRequest {
  readonly group: string;
  readonly dryRun: boolean;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
}

const mutating: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);
const workloads: ReadonlySet<string> = new Set(['pods', ...rolledPlurals.flatMap(([, plurals]) => plurals)]);
const written: ReadonlySet<string> = new Set([
  'secrets',
  'secretreferences',
  'secretmanagers',
  'clustersecretmanagers',
  'versionedsecrets',
  'secretversions',
  'secretreveals',
  ...workloads,
]);

/** Which requests each figure counts. */
const counters: Readonly<Record<keyof ApiCounts, (request: ApiRequest) => boolean>> = {
  writes: (request) => isWrite(request) && written.has(request.resource),
  secretWrites: (request) => isWrite(request) && request.resource === 'secrets',
  statusWrites: (request) =>
    isWrite(request) && request.resource === 'secretreferences' && request.subresource === 'status',
  workloadWrites: (request) => isWrite(request) && workloads.has(request.resource),
  events: (request) => isWrite(request) && request.resource === 'events',
  leases: (request) => isWrite(request) && request.resource === 'leases',
  secretReads: ({ verb, resource }) => verb === 'GET' && resource === 'secrets',
  referenceReads: ({ verb, resource }) => verb === 'GET' && resource === 'secretreferences',
  embeddedCalls: ({ verb, group, resource, dryRun }) =>
    verb !== 'WATCH' && !dryRun && (group === keyferry || resource === 'selfsubjectreviews'),
};

/** A dry run stores nothing. */
function isWrite({ verb, dryRun }: ApiRequest): boolean {
  return mutating.has(verb) && !dryRun;
}

/** Reads the API server's own metrics: they count every request, so nothing that the operator does can escape them. */
export async function readApiCounts(transport: Transport, signal: AbortSignal): Promise<ApiCounts> {
  const subject = { verb: 'get', resource: 'metrics', object: '', sensitive: false };
  const body = await transport.stream({ subject, method: 'GET', path: '/metrics', accept: 'text/plain', signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return countRequests(Buffer.concat(chunks).toString('utf8'));
}

/** Counts in the text format of Prometheus. */
export function countRequests(metrics: string): ApiCounts {
  const samples = [...metrics.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)].map(
    ([, labels = '', value = '']) => ({
      group: labelOf(labels, 'group'),
      dryRun: labelOf(labels, 'dry_run') !== '',
      verb: labelOf(labels, 'verb'),
      resource: labelOf(labels, 'resource'),
      subresource: labelOf(labels, 'subresource'),
      amount: Number(value),
    }),
  );
  const count = (name: keyof ApiCounts): number =>
    samples.filter(counters[name]).reduce((sum, { amount }) => sum + amount, 0);
  return {
    writes: count('writes'),
    secretWrites: count('secretWrites'),
    statusWrites: count('statusWrites'),
    workloadWrites: count('workloadWrites'),
    events: count('events'),
    leases: count('leases'),
    secretReads: count('secretReads'),
    referenceReads: count('referenceReads'),
    embeddedCalls: count('embeddedCalls'),
  };
}

function labelOf(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
}
