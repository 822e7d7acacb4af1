import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import {
  clusterManager,
  goodAccess,
  goodAuth,
  goodData,
  kubectlIn,
  manager,
  reference,
  refusal,
} from './api-objects.ts';

const cluster = inject('cluster');
const namespace = `api-${randomUUID().slice(0, 8)}`;
const clusterName = `api-${randomUUID().slice(0, 8)}`;
const kubectl = kubectlIn(cluster, namespace);

function change(name: string, spec: object): Promise<string | undefined> {
  const patch = JSON.stringify({ spec });
  return refusal(kubectl(['patch', 'sref', name, '--type=merge', '--dry-run=server', `--patch=${patch}`]));
}

async function specOf(kind: string, name: string): Promise<unknown> {
  return JSON.parse(await kubectl(['get', kind, name, '-o', 'jsonpath={.spec}']));
}

beforeAll(async () => {
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await kubectl(['create', '-f', '-'], reference({ data: goodData }, 'plain'));
  await kubectl(['create', '-f', '-'], reference({ data: goodData, target: { name: 'elsewhere' } }, 'named'));
  await kubectl(['create', '-f', '-'], manager({ aws: { auth: goodAuth } }, 'own'));
  await kubectl(['create', '-f', '-'], clusterManager({ aws: {}, access: goodAccess }, clusterName));
});

afterAll(async () => {
  await runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']);
  await runKubectl(cluster, ['delete', 'csmgr', clusterName, '--wait=false']);
});

describe('a SecretReference', () => {
  test.each([
    ['plain', 'other', 'Secret plain would be left behind. Create another SecretReference for Secret other'],
    ['named', 'other', 'Secret elsewhere would be left behind. Create another SecretReference for Secret other'],
    ['named', null, 'Secret elsewhere would be left behind. Create another SecretReference for Secret named'],
  ])('%s may not move to the Secret %s', async (name, target, says) => {
    expect(await change(name, { target: { name: target } })).toContain(`target.name cannot change: ${says}`);
  });

  test('may write its target by name where that is what it is already', async () => {
    expect(await change('plain', { target: { name: 'plain' } })).toBeUndefined();
  });

  test('may not change the type of its Secret', async () => {
    expect(await change('plain', { target: { type: 'kubernetes.io/tls' } })).toContain(
      'type cannot change from Opaque to kubernetes.io/tls: Kubernetes does not allow it for a Secret. Create another SecretReference with another target.name',
    );
  });

  test('may change everything else', async () => {
    const spec = { data: { other: { secret: 'x' } }, target: { ownership: 'Orphan' }, suspend: true };

    expect(await change('plain', spec)).toBeUndefined();
  });

  test('has its defaults filled in', async () => {
    expect(await specOf('sref', 'plain')).toEqual({
      data: goodData,
      managerRef: { kind: 'ClusterSecretManager', name: 'default' },
      rollout: { policy: 'Auto', settle: '2s', onFailure: 'None', progressDeadline: '10m' },
      suspend: false,
      target: { ownership: 'Owner', type: 'Opaque' },
    });
  });
});

describe('a manager', () => {
  test('has its defaults filled in', async () => {
    const keys = { accessKeyIdKey: 'access-key-id', secretAccessKeyKey: 'secret-access-key' };

    expect(await specOf('smgr', 'own')).toEqual({
      aws: { auth: { secretRef: { name: 'aws-keys', ...keys } } },
      pollInterval: '5m',
    });
    expect(await specOf('csmgr', clusterName)).toEqual({
      access: goodAccess,
      aws: {},
      onRevoked: 'Retain',
      pollInterval: '5m',
    });
  });
});

describe('what people see', () => {
  const table = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await kubectl(['get', ...args])).split('\n').map((line) => line.trim().replaceAll(/\s{2,}/g, '  '));

  test('is the table of the references', async () => {
    expect((await table('sref'))[0]).toBe('NAME  READY  REASON  STALE  VERSIONS  ROLLOUT  AGE');
    expect((await table('sref', '-o', 'wide'))[0]).toBe(
      'NAME  READY  REASON  STALE  VERSIONS  ROLLOUT  AGE  MANAGER  TARGET  CHANGED',
    );
  });

  test('is the table of the managers', async () => {
    const header = 'NAME  BACKEND  READY  REASON  SECRETS  REFERENCES  AGE';

    expect((await table('smgr'))[0]).toBe(header);
    expect((await table('csmgr'))[0]).toBe(header);
  });

  test('is every kind at once, by category', async () => {
    const found = await kubectl(['get', 'keyferry', '-o', 'name']);

    expect(found).toContain('secretreference.keyferry.io/plain');
    expect(found).toContain('secretmanager.keyferry.io/own');
    expect(found).toContain(`clustersecretmanager.keyferry.io/${clusterName}`);
  });

  test.each([
    ['sref', 'Keeps a Secret of its namespace equal to what secret managers hold'],
    ['sref.spec.data', "The Secret's keys, each with where its value comes from: password: {secret: db.password}."],
    ['sref.spec.data.version', 'Without version and stage: the latest.'],
    ['sref.spec.target.ownership', 'Owner: it goes with the SecretReference. Orphan: it stays.'],
    ['sref.status.conditions', 'Ready: the target holds what the spec wants.'],
    ['csmgr.spec.access', 'What no rule grants is denied.'],
    ['csmgr.spec.access.secrets', "{namespace} for the reference's own namespace."],
    ['smgr.spec.aws.endpoint', 'Refused here: endpoint may be set only on a ClusterSecretManager'],
  ])('is explained: %s', async (path, says) => {
    const text = (await kubectl(['explain', path])).replaceAll(/\s+/g, ' ');

    expect(text).toContain(says);
  });
});

describe('the generated manifests', () => {
  test.each(['crds', 'policies', 'rbac'])('of %s are taken by the API server without a warning', async (folder) => {
    const files = join(import.meta.dirname, '..', '..', folder);
    const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--warnings-as-errors'];

    // The roles stand in a namespace that a dry run does not make.
    const create = ['create', 'namespace', 'keyferry', '--dry-run=client', '-o', 'json'];
    await runKubectl(cluster, ['apply', '--server-side', '-f', '-'], await runKubectl(cluster, create));

    expect(await refusal(runKubectl(cluster, ['apply', ...flags, '-f', files]))).toBeUndefined();
  });

  test.each(['secretreferences', 'secretmanagers', 'clustersecretmanagers'])(
    'make %s a resource with a structural schema',
    async (plural) => {
      const path = 'jsonpath={range .status.conditions[*]}{.type}={.status} {end}';

      const conditions = await runKubectl(cluster, ['get', 'crd', `${plural}.keyferry.io`, '-o', path]);

      expect(conditions).toContain('Established=True');
      expect(conditions).not.toContain('NonStructuralSchema');
    },
  );
});
