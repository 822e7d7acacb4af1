import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chart } from '../chart/helm.ts';
import { runCommand } from '../cluster/command.ts';
import { eventually } from '../operator/eventually.ts';
import { nodeFlags, type OperatorProcess } from '../operator/operator-process.ts';
import { type ChartCluster, formerChart, startChartCluster } from './chart-support.ts';
import { newCanary } from './world.ts';

/** Other names than those of the files in the repository, so that nothing can rely on these. */
const release = ['ferry', '--namespace', 'harbour'] as const;
const deployment = 'ferry-keyferry';
const value = newCanary();

let made: ChartCluster;
let operator: OperatorProcess;
/** What each of Helm's runs did, by what it was. */
const requests = new Map<string, readonly string[]>();

async function helm(what: string, args: readonly string[]): Promise<string> {
  const said = await made.helm(args);
  requests.set(what, await made.requestsOfHelm());
  return said;
}

const secretSchema = z.object({
  metadata: z.object({ uid: z.string(), resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()),
});

async function target(): Promise<z.infer<typeof secretSchema>> {
  return secretSchema.parse(JSON.parse(await made.kubectl(['get', 'secret', 'api-db', '-n', 'shop', '-o', 'json'])));
}

/** Everything that carries the label of the release, whatever it is. */
async function left(): Promise<readonly string[]> {
  const kinds = (await made.kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const listed = kinds.filter((kind) => !/^(?:events|pods|replicasets)/.test(kind)).join(',');
  const selection = ['-A', '-l', 'app.kubernetes.io/instance=ferry', '-o', 'name', '--ignore-not-found'];
  const names = await made.kubectl(['get', listed, ...selection]);
  return names
    .split('\n')
    .filter((name) => name !== '')
    .toSorted();
}

const reference = {
  apiVersion: 'keyferry.io/v1',
  kind: 'SecretReference',
  metadata: { name: 'api-db', namespace: 'shop' },
  spec: { data: { password: { secret: 'db.password' } } },
};

beforeAll(async () => {
  made = await startChartCluster();
  await made.kubectl(['create', 'namespace', 'shop']);
}, 600_000);

afterAll(() => made?.stop());

describe('the chart, by Helm on a real cluster', () => {
  it('installs into a fresh namespace, and says what to do next', async () => {
    const former = await formerChart(made.folder);
    const notes = await helm('install', ['install', ...release, former, '--create-namespace']);

    expect(notes).toContain('keyferry put db.password --create --generate');
    expect(notes).toContain('keyferry keys backup --file keyferry-keys.yaml --operator-namespace harbour');
    expect(notes).toContain('The operator may read every Secret of the cluster.');
    operator = await made.startOperator('harbour', deployment);
    await made.kubectl(['wait', 'csmgr', 'default', '--for=condition=Ready', '--timeout=60s']);
  });

  it('then works: who may edit a namespace has a secret there, and nobody needed to say how', async () => {
    await made.kubectl(['create', 'rolebinding', 'ann', '--clusterrole=edit', '--user=ann', '-n', 'shop']);
    await eventually('versions are taken', () =>
      made.keyferry(['put', 'db.password', '--create', '-n', 'shop'], value),
    );
    await eventually('the roles are aggregated', () =>
      made.kubectl(['create', '--as=ann', '-f', '-'], JSON.stringify(reference)),
    );

    await made.kubectl(['wait', 'sref', 'api-db', '-n', 'shop', '--for=condition=Ready', '--timeout=60s']);
    expect((await target()).data['password']).toBe(Buffer.from(value).toString('base64'));
  });

  it('has a test that an operator at work passes', async () => {
    const script = join(chart, 'files', 'test.mjs');
    const said = await runCommand(process.execPath, [...nodeFlags, script], { env: { OPERATOR_URL: operator.url } });

    expect(said).toContain('/metrics is as it should be');
  });

  it('is upgraded without a change to any Secret, takes over what was made by hooks, and takes away what is no more', async () => {
    const before = await target();
    const manager = ['get', 'csmgr', 'default', '-o', 'jsonpath={.metadata.uid}'];
    const uid = await made.kubectl(manager);
    expect(await left()).toContain('configmap/left-behind');
    await helm('upgrade', ['upgrade', ...release, chart, '--reset-then-reuse-values']);

    expect(await target()).toEqual(before);
    expect(await made.kubectl(manager)).toBe(uid);
    expect(await made.helm(['get', 'manifest', ...release])).toContain('kind: ClusterSecretManager\n');
    expect(await left()).not.toContain('configmap/left-behind');
    const crd = await made.kubectl(['get', 'crd', 'clustersecretmanagers.keyferry.io', '-o', 'yaml']);
    expect(crd).toContain('contact:');
  });

  it('is uninstalled without the loss of a Secret, and leaves only what holds them', async () => {
    const before = await target();
    await operator.stop();
    await helm('uninstall', ['uninstall', ...release]);

    expect(await target()).toEqual(before);
    await made.kubectl(['get', 'secret', 'keyferry-sealing-keys', '-n', 'harbour']);
    expect(await left()).toEqual([
      'clustersecretmanager.keyferry.io/default',
      ...[
        'clustersecretmanagers',
        'secretmanagers',
        'secretreferences',
        'secretreveals',
        'secrettypes',
        'secretversions',
        'versionedsecrets',
      ].map((plural) => `customresourcedefinition.apiextensions.k8s.io/${plural}.keyferry.io`),
      ...['api-key', 'basic-auth', 'database', 'dockerconfigjson', 'tls'].map(
        (type) => `secrettype.keyferry.io/${type}`,
      ),
    ]);
  });

  it('security rule 4: removes the policies last, after the operator and all of its rights', () => {
    const deletes = (requests.get('uninstall') ?? []).filter(
      (request) => request.startsWith('delete ') && request !== 'delete secrets',
    );

    expect(deletes[0]).toBe('delete services');
    expect(deletes).toContain('delete deployments');
    expect(deletes.slice(-2)).toEqual([
      'delete validatingadmissionpolicies',
      'delete validatingadmissionpolicybindings',
    ]);
  });

  it('security rule 4: never takes a policy away for an upgrade', () => {
    const upgrade = requests.get('upgrade') ?? [];

    expect(upgrade.length).toBeGreaterThan(0);
    expect(upgrade.filter((request) => request.includes('validatingadmission'))).toEqual([]);
  });

  it('is installed again, and goes on with what was there', async () => {
    await helm('again', ['install', ...release, chart]);
    operator = await made.startOperator('harbour', deployment);
    const next = newCanary();
    await eventually('versions are taken', () => made.keyferry(['put', 'db.password', '-n', 'shop'], next));

    await eventually('the Secret follows', async () => {
      expect((await target()).data['password']).toBe(Buffer.from(next).toString('base64'));
    });
  });

  it('leaves nothing behind where that is asked for', async () => {
    await helm('last upgrade', ['upgrade', ...release, chart, '--set', 'crds.keep=false']);
    await operator.stop();
    await helm('last', ['uninstall', ...release]);

    await eventually('the CRDs are gone', async () => expect(await left()).toEqual([]));
    expect(await made.kubectl(['get', 'crd', '-o', 'name'])).not.toContain('keyferry.io');
    expect(await made.kubectl(['get', 'clusterrole', '-o', 'name'])).not.toContain('keyferry');
  });
});
