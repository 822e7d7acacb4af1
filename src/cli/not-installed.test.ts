import { describe, expect, it } from 'vitest';
import { type CallSubject, KubeError } from '../kube/errors.ts';
import type { Transport, TransportRequest } from '../kube/transport.ts';
import { explainMissingKinds } from './not-installed.ts';

const ours = 'versionedsecrets.keyferry.io';

function refusing(status: number, reason: string, resource: string): Promise<unknown> {
  const subject: CallSubject = { verb: 'list', resource, object: 'shop', sensitive: false };
  const fail = (): Promise<never> => Promise.reject(new KubeError({ subject, status, reason }));
  const transport: Transport = { call: fail, stream: fail, close: () => Promise.resolve() };
  const request: TransportRequest = { subject, method: 'GET', path: '/', signal: new AbortController().signal };
  return explainMissingKinds(transport, 'https://one').call(request);
}

describe('a cluster without our CRDs', () => {
  it('is told as one where Keyferry is not installed', async () => {
    await expect(refusing(404, '', ours)).rejects.toThrow(
      'Keyferry is not installed in this cluster (its CRDs are missing)',
    );
  });

  it.each([
    ['an object that is missing', 404, 'NotFound', ours],
    ['a kind of others that is missing', 404, '', 'rollouts.argoproj.io'],
    ['what may not be read', 403, 'Forbidden', ours],
  ])('is not meant by %s', async (_what, status, reason, resource) => {
    await expect(refusing(status, reason, resource)).rejects.toThrow(KubeError);
  });
});
