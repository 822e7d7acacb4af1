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
      'a label that Pods are found by',
      { commonLabels: { 'app.kubernetes.io/name': 'x' } },
      "at '/commonLabels/app.kubernetes.io~1name': false schema",
    ],
    [
      'the same of pods alone',
      { podLabels: { 'app.kubernetes.io/instance': 'x' } },
      "at '/podLabels/app.kubernetes.io~1instance'",
    ],
    [
      "a label that is Helm's",
      { commonLabels: { 'app.kubernetes.io/managed-by': 'x' } },
      "at '/commonLabels/app.kubernetes.io~1managed-by'",
    ],
    [
      'a label that Services are found by',
      { metrics: { service: { labels: { 'app.kubernetes.io/component': 'x' } } } },
      "at '/metrics/service/labels/app.kubernetes.io~1component'",
    ],
    [
      'a label that would put each role into `edit`',
      { commonLabels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } },
      "at '/commonLabels/rbac.authorization.k8s.io~1aggregate-to-edit'",
    ],
    ['a name that can not be', { fullnameOverride: 'Kf_x' }, "at '/fullnameOverride': 'Kf_x' does not match pattern"],
    ['a part of one', { nameOverride: 'Kf_x' }, "at '/nameOverride'"],
    ['an account that can not be', { serviceAccount: { name: 'Kf_x' } }, "at '/serviceAccount/name'"],
    ['a KMS key that is none', { sealingKeys: { kms: { keyId: 'my key' } } }, "at '/sealingKeys/kms/keyId'"],
    [
      'an address that is none',
      { sealingKeys: { kms: { keyId: 'a', endpoint: 'kms.internal' } } },
      "at '/sealingKeys/kms/endpoint'",
    ],
    ['a key of labels that is none', { trustedNamespaceLabels: ['a b'] }, "at '/trustedNamespaceLabels/0'"],
    ['a duration in an order of its own', { revealTTL: '30s1m' }, "at '/revealTTL': '30s1m' does not match pattern"],
    ['no duration', { revealTTL: '' }, "at '/revealTTL'"],
    ['reveals for long', { revealTTL: '10m' }, 'revealTTL must be from 1s to 5m, not 10m'],
    ['reveals for a little longer', { revealTTL: '5m1ms' }, 'revealTTL must be from 1s to 5m, not 5m1ms'],
    ['reveals for a blink', { revealTTL: '999ms' }, 'revealTTL must be from 1s to 5m, not 999ms'],
    [
      'a lease that ends before it is given up',
      { leaderElection: { leaseDuration: '5s' } },
      'leaderElection.leaseDuration must be longer than leaderElection.renewDeadline (10s), not 5s',
    ],
    [
      'a lease of parts of a second',
      { leaderElection: { leaseDuration: '15500ms' } },
      'leaderElection.leaseDuration must be whole seconds, such as 15s, not 15500ms',
    ],
    [
      'a leader that hardly tries',
      { leaderElection: { retryPeriod: '9s' } },
      'leaderElection.renewDeadline must be longer than 1.2 times leaderElection.retryPeriod (9s), not 10s',
    ],
    ['no time at all', { leaderElection: { retryPeriod: '0s' } }, 'leaderElection.retryPeriod must be longer than 0'],
    [
      'a pod killed at work, in minutes and seconds',
      { gracePeriod: '1m30s', terminationGracePeriodSeconds: 90 },
      'terminationGracePeriodSeconds (90) must be more than gracePeriod (1m30s)',
    ],
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
