import type { RequestRecord } from '../kube/transport.ts';
import { counter, type Registry } from '../runtime/metrics.ts';

/** Requests to the API server, under the name that client-go gives them. */
export function clientMetrics(registry: Registry): (record: RequestRecord) => void {
  const help = 'Number of HTTP requests, partitioned by status code, method, and host.';
  const requests = counter(registry, 'rest_client_requests_total', help, ['code', 'method', 'host']);
  return ({ code, method, host }) => requests.inc({ code, method, host });
}
