import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBinary } from '../cluster/binaries.ts';
import { chart, renderText, runHelm, type Values } from './helm.ts';

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  await ensureBinary('helm');
}, 600_000);

describe('wrong values are refused with words that say which, and what to do', () => {
  const access = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];

  it.each<[what: string, values: Values, words: string]>([
    ['a name that there is not', { replicas: 3 }, "additional properties 'replicas' not allowed"],
    ['a slip in the manager', { defaultManager: { aws: { regoin: 'x' }, access } }, "additional properties 'regoin'"],
    ['a word for a number', { replicaCount: 'two' }, "at '/replicaCount': got string, want integer"],
    [
      'a number for a duration',
      { rollouts: { minInterval: 30 } },
      "at '/rollouts/minInterval': got number, want string",
    ],
    ['a duration without a unit', { gracePeriod: '30' }, "at '/gracePeriod': '30' does not match pattern"],
    ['a level that there is not', { logLevel: 'trace' }, "value must be one of 'debug', 'info', 'warn', 'error'"],
    ['a namespace that can not be', { watchNamespaces: ['Shop'] }, "at '/watchNamespaces/0': 'Shop' does not match"],
    ['too much at once', { concurrency: 5000 }, "at '/concurrency': maximum: got 5,000, want 1,000"],
    ['a digest that is none', { image: { digest: 'latest' } }, "at '/image/digest'"],
    ['two places for keys', { sealingKeys: { file: { secretName: 'a' }, kms: { keyId: 'b' } } }, "at '/sealingKeys'"],
    ['a place without a name', { sealingKeys: { kms: {} } }, "missing property 'keyId'"],
    ['two backends', { defaultManager: { aws: {}, embedded: {}, access } }, 'has embedded and aws: give one of them'],
    ['AWS for nobody', { defaultManager: { aws: {} } }, 'defaultManager.access is needed'],
    ['a shared place for nobody', { defaultManager: { embedded: { namespace: 'org' } } }, 'access is needed'],
    [
      'a manager without its part',
      { embedded: { enabled: false } },
      'give defaultManager.aws, or defaultManager.create=false',
    ],
    [
      'two that both lead',
      { leaderElection: { enabled: false } },
      'leaderElection.enabled=false allows one replica only',
    ],
    ['no name for the account', { serviceAccount: { create: false } }, 'serviceAccount.name is needed'],
    [
      'a pod killed at work',
      { gracePeriod: '35s' },
      'terminationGracePeriodSeconds (35) must be more than gracePeriod (35s)',
    ],
  ])('%s', async (_what, values, words) => {
    await expect(renderText(values)).rejects.toThrow(words);
  });

  it('a cluster that is too old', async () => {
    await expect(runHelm(['template', 'keyferry', chart, '--kube-version=1.29.9'])).rejects.toThrow(
      'chart requires kubeVersion: >=1.30.0-0',
    );
  });
});
