import { describe, expect, it } from 'vitest';
import type { TargetStatus } from '../../api/v1/secret-reference.ts';
import type { KubeError } from '../../kube/errors.ts';
import { mergedAnnotation } from './target-secret.ts';
import { buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { createRecordingClient, kubeError, type RecordedCall } from '../testing/recording-client.ts';
import { definite, type Failure } from './failure.ts';
import { releaseTarget } from './release.ts';

const signal = new AbortController().signal;
const target: TargetStatus = {
  name: 'api-db',
  uid: 'secret-uid',
  resourceVersion: '7',
  ownership: 'Owner',
  inputs: '1:a',
};
const revoked: Failure = { ...definite('AccessDenied', 'not granted'), denied: 'Delete' };

async function release(
  secret: object | KubeError,
  options: { readonly failure?: Failure; readonly target?: TargetStatus | undefined } = { target },
): Promise<{ readonly released: boolean; readonly calls: readonly RecordedCall[] }> {
  const client = createRecordingClient(() => secret);
  const reference = buildReference({ status: options.target === undefined ? {} : { target: options.target } });
  const released = await releaseTarget(client, reference, options.failure ?? revoked, signal);
  return { released, calls: client.calls.filter(({ verb }) => verb !== 'get') };
}

describe('a target whose access was revoked', () => {
  it('is deleted with the uid and resourceVersion that were read', async () => {
    const { released, calls } = await release(buildOwnedSecret());
    expect(released).toBe(true);
    expect(calls).toMatchObject([
      { verb: 'delete', object: 'secrets/shop/api-db', body: { uid: 'secret-uid', resourceVersion: '7' } },
    ]);
  });

  it('is given up where it is gone already', async () => {
    expect(await release(kubeError(404, 'NotFound'))).toEqual({ released: true, calls: [] });
  });

  it('is not deleted where another reference owns it, whatever its name', async () => {
    const { calls } = await release(
      buildOwnedSecret({ metadata: { annotations: { 'keyferry.io/reference-uid': 'uid-2' } } }),
    );
    expect(calls).toEqual([]);
  });

  it('loses only our keys where it is shared', async () => {
    const shared = buildOwnedSecret({ metadata: { annotations: { [mergedAnnotation('uid-1')]: 'api-db' } } });
    const { calls } = await release(shared);
    expect(calls[0]).toMatchObject({ verb: 'apply', fieldManager: 'keyferry-uid-1', force: false });
    expect(calls.map(({ verb }) => verb)).not.toContain('delete');
  });

  it.each([
    ['the rules say Retain', { target, failure: { ...revoked, denied: 'Retain' } }],
    ['nothing was denied', { target, failure: definite('SecretNotFound', 'no') }],
    ['there never was one', { target: undefined }],
  ] satisfies readonly (readonly [string, Parameters<typeof release>[1]])[])(
    'stays where %s',
    async (_why, options) => {
      expect(await release(buildOwnedSecret(), options)).toEqual({ released: false, calls: [] });
    },
  );

  it('stays where the API server does not answer', async () => {
    await expect(release(kubeError(503, ''))).rejects.toThrow('503');
  });
});
