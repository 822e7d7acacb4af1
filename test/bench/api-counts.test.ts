import { describe, expect, it } from 'vitest';
import { countRequests } from './api-counts.ts';

function sample(verb: string, resource: string, value: number, code = '201'): string {
  return `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",scope="resource",subresource="",verb="${verb}",version="v1"} ${value}`;
}

describe('countRequests', () => {
  it('adds up the writes of what the operator answers for, refused ones too', () => {
    const metrics = [
      sample('POST', 'secrets', 3),
      sample('POST', 'secrets', 1, '409'),
      sample('APPLY', 'secretreferences', 5),
      sample('PATCH', 'clustersecretmanagers', 1),
      sample('POST', 'tokenreviews', 9),
      sample('LIST', 'secrets', 9),
    ].join('\n');

    expect(countRequests(metrics)).toEqual({ writes: 10, events: 0, leases: 0, secretReads: 0 });
  });

  it('keeps events, leases and reads of Secrets apart', () => {
    const metrics = [sample('POST', 'events', 2), sample('PATCH', 'leases', 4), sample('GET', 'secrets', 6)].join('\n');

    expect(countRequests(metrics)).toEqual({ writes: 0, events: 2, leases: 4, secretReads: 6 });
  });
});
