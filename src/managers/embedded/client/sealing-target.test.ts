import { describe, expect, it } from 'vitest';
import { rawObjectSchema } from '../../../kube/object.ts';
import { defaultManager, findSealingTarget } from './sealing-target.ts';

function findIn(spec: object): ReturnType<typeof findSealingTarget> {
  const metadata = { name: 'default', uid: 'u', resourceVersion: '1' };
  const client = { get: () => Promise.resolve(rawObjectSchema.parse({ metadata, spec })) };
  return findSealingTarget(client, defaultManager, 'shop', new AbortController().signal);
}

describe('a manager without a key to seal to', () => {
  it('of AWS is told with how to put there', async () => {
    await expect(findIn({ aws: { region: 'eu-central-1' } })).rejects.toThrow('add --manager aws/default');
  });

  it('of no backend is not told so', async () => {
    const found = findIn({});
    await expect(found).rejects.toThrow('does not keep secrets in the cluster: name one with embedded: {}');
  });
});
