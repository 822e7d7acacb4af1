import { describe, expect, it } from 'vitest';
import { countRequests } from './api-counts.ts';

function sample(verb: string, resource: string, value: number, { code = '201', subresource = '' } = {}): string {
  return `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",scope="resource",subresource="${subresource}",verb="${verb}",version="v1"} ${value}`;
}

describe('countRequests', () => {
  it('adds up the writes of what the operator answers for, refused ones too', () => {
    const metrics = [
      sample('POST', 'secrets', 3),
      sample('POST', 'secrets', 1, { code: '409' }),
      sample('APPLY', 'secretreferences', 5),
      sample('PATCH', 'clustersecretmanagers', 1),
      sample('APPLY', 'deployments', 2),
      sample('POST', 'tokenreviews', 9),
      sample('LIST', 'secrets', 9),
    ].join('\n');

    expect(countRequests(metrics)).toMatchObject({ writes: 12, events: 0, leases: 0, secretReads: 0 });
  });

  it('tells writes of Secrets, of statuses and of workloads apart', () => {
    const metrics = [
      sample('POST', 'secrets', 3),
      sample('APPLY', 'secretreferences', 5, { subresource: 'status' }),
      sample('POST', 'secretreferences', 7),
      sample('APPLY', 'deployments', 2),
      sample('PATCH', 'statefulsets', 1, { code: '409' }),
      sample('DELETE', 'pods', 1),
      sample('WATCH', 'deployments', 9),
    ].join('\n');

    expect(countRequests(metrics)).toMatchObject({ secretWrites: 3, statusWrites: 5, workloadWrites: 4 });
  });

  it('keeps events, leases and single reads apart from writes', () => {
    const metrics = [
      sample('POST', 'events', 2),
      sample('PATCH', 'leases', 4),
      sample('GET', 'secrets', 6),
      sample('GET', 'secretreferences', 3),
    ].join('\n');

    expect(countRequests(metrics)).toMatchObject({
      writes: 0,
      events: 2,
      leases: 4,
      secretReads: 6,
      referenceReads: 3,
    });
  });
});
