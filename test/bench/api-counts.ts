import type { Transport } from '../../src/kube/transport.ts';

/** What the API server was asked since it began. All but leases and reads is the operator's: nobody else writes these kinds while it is measured. */
export interface ApiCounts {
  /** Writes of Secrets, references and managers, whatever came of them. */
  readonly writes: number;
  readonly events: number;
  readonly leases: number;
  /** Secrets that were read one by one. */
  readonly secretReads: number;
}

const mutating: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);
const written: ReadonlySet<string> = new Set([
  'secrets',
  'secretreferences',
  'secretmanagers',
  'clustersecretmanagers',
]);

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
  const counts = { writes: 0, events: 0, leases: 0, secretReads: 0 };
  for (const [, labels = '', value = ''] of metrics.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const verb = labelOf(labels, 'verb');
    const resource = labelOf(labels, 'resource');
    const amount = Number(value);
    if (resource === 'secrets' && verb === 'GET') counts.secretReads += amount;
    if (!mutating.has(verb)) continue;
    if (written.has(resource)) counts.writes += amount;
    if (resource === 'events') counts.events += amount;
    if (resource === 'leases') counts.leases += amount;
  }
  return counts;
}

function labelOf(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
}
