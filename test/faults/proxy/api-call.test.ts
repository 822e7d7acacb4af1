import { describe, expect, it } from 'vitest';
import { describeApiCall, labelOf } from './api-call.ts';

describe('the name of a request', () => {
  const ours = '/apis/keyferry.io/v1';
  it.each([
    ['GET', '/api/v1/namespaces/kube-system', '', 'get namespaces kube-system'],
    ['GET', '/api/v1/namespaces/shop/secrets?limit=500', '', 'list secrets'],
    ['GET', `${ours}/secretreferences?watch=true&resourceVersion=3`, '', 'watch secretreferences'],
    ['GET', `${ours}/namespaces/shop/secretreferences/app`, '', 'get secretreferences app'],
    ['POST', '/api/v1/namespaces/shop/secrets', '{"metadata":{"name":"app"}}', 'create secrets app'],
    ['DELETE', '/api/v1/namespaces/shop/secrets/app', '', 'delete secrets app'],
    ['PATCH', '/api/v1/namespaces/shop/secrets/app?fieldManager=x', '{}', 'patch secrets app'],
    [
      'POST',
      '/apis/events.k8s.io/v1/namespaces/shop/events',
      '{"reason":"Synced","regarding":{"kind":"SecretReference","name":"app"}}',
      'create events SecretReference/app:Synced',
    ],
    ['PATCH', '/apis/events.k8s.io/v1/namespaces/shop/events/app.1a2b', '{}', 'patch events series'],
  ])('%s %s', (method, url, body, label) => {
    expect(labelOf(describeApiCall(method, url, 'application/json', body))).toBe(label);
  });

  it('tells an apply from a patch, and a dry run from a write', () => {
    const url = `${ours}/namespaces/shop/secretreferences/app/status?fieldManager=keyferry&dryRun=All`;
    const call = describeApiCall('PATCH', url, 'application/apply-patch+yaml', '{}');
    expect(labelOf(call)).toBe('apply secretreferences/status app dry-run');
    expect(call).toMatchObject({ namespace: 'shop', fieldManager: 'keyferry', dryRun: true });
  });
});
