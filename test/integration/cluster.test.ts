import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';

const cluster = inject('cluster');
const moto = inject('moto');
const namespace = `cluster-${randomUUID().slice(0, 8)}`;

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return runKubectl(cluster, ['--namespace', namespace, ...args], input);
}

describe('the control plane', () => {
  beforeAll(() => runKubectl(cluster, ['create', 'namespace', namespace]));
  afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

  test('knows a service account by its token', async () => {
    await kubectl(['create', 'serviceaccount', 'robot']);

    const token = (await kubectl(['create', 'token', 'robot'])).trim();

    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const user = await kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.user.username}'], JSON.stringify(review));
    expect(user).toBe(`system:serviceaccount:${namespace}:robot`);
  });

  test('gives every namespace a default service account', async () => {
    const found = await waitFor({ what: 'the default service account', timeout: 60_000 }, () =>
      kubectl(['get', 'serviceaccount', 'default', '-o', 'name']),
    );

    expect(found.trim()).toBe('serviceaccount/default');
  });

  test('collects what a deleted object owned, and nothing else', async () => {
    await kubectl(['create', 'configmap', 'owner']);
    await kubectl(['create', 'configmap', 'bystander']);
    const uid = await kubectl(['get', 'configmap', 'owner', '-o', 'jsonpath={.metadata.uid}']);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
    const owned = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'owned', ownerReferences } };
    await kubectl(['create', '-f', '-'], JSON.stringify(owned));

    await kubectl(['delete', 'configmap', 'owner']);

    await waitFor({ what: 'the owned Secret to go', timeout: 60_000 }, async () => {
      const left = await kubectl(['get', 'secret', 'owned', '--ignore-not-found', '-o', 'name']);
      return left === '' ? true : undefined;
    });
    expect(await kubectl(['get', 'configmap', 'bystander', '-o', 'name'])).toContain('bystander');
  });

  test('lets a namespace go', async () => {
    const doomed = `${namespace}-doomed`;
    await runKubectl(cluster, ['create', 'namespace', doomed]);

    await runKubectl(cluster, ['delete', 'namespace', doomed, '--timeout=60s']);

    expect(await runKubectl(cluster, ['get', 'namespace', doomed, '--ignore-not-found'])).toBe('');
  });

  test('writes every request to its audit log', async () => {
    await kubectl(['create', 'configmap', 'audited']);

    expect(await readFile(cluster.auditLog, 'utf8')).toContain(`/api/v1/namespaces/${namespace}/configmaps`);
  });
});

describe('moto', () => {
  test('keeps secrets', async () => {
    const name = `${namespace}/smoke`;
    await secretsManager('CreateSecret', { Name: name, SecretString: 'first', ClientRequestToken: randomUUID() });

    const answer = await secretsManager('GetSecretValue', { SecretId: name });

    expect(answer).toMatchObject({ Name: name, SecretString: 'first', VersionStages: ['AWSCURRENT'] });
  });
});

async function secretsManager(action: string, body: object): Promise<unknown> {
  const answer = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `secretsmanager.${action}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/secretsmanager/aws4_request',
    },
    body: JSON.stringify(body),
  });
  return answer.json();
}
