import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { kubectlIn, refusal } from './api-objects.ts';
import { accepted, applyRoles, operator, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const namespace = `policies-${randomUUID().slice(0, 8)}`;
const admin = kubectlIn(cluster, namespace);
/** With every right in the namespace: what it is refused, it is refused by the policies. */
const asOperator = kubectlIn(cluster, namespace, operator);

const markers = { 'keyferry.io/content.api-db': '1.aaaa' };
const spec = { containers: [{ name: 'app', image: 'registry.example/app:1' }], restartPolicy: 'Never' };

function pod(name: string, annotations: object = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec };
}

async function podOfStatefulSet(annotations: object): Promise<string> {
  const name = `set-${randomUUID()}`;
  const labels = { set: name };
  const template = { metadata: { labels, annotations }, spec: { containers: spec.containers } };
  const setSpec = { serviceName: name, selector: { matchLabels: labels }, template };
  await admin(['create', '-f', '-'], { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name }, spec: setSpec });
  await eventually('the StatefulSet has made its pod', () => admin(['get', 'pod', `${name}-0`]));
  return `${name}-0`;
}

const create = ['create', '--dry-run=server', '-f', '-'];

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await admin(['create', 'rolebinding', 'all', '--clusterrole=cluster-admin', `--user=${operator}`]);
  await refusedWith(() => asOperator(create, pod('x')), 'the operator may not CREATE pods');
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

describe('of pods the operator', () => {
  /** Of a pod that a StatefulSet makes, whose template has the annotations. */
  async function remove(annotations: object, ready: 'True' | 'False' | undefined): Promise<string | undefined> {
    const name = await podOfStatefulSet(annotations);
    if (ready !== undefined) {
      const status = { conditions: [{ type: 'Ready', status: ready }] };
      await admin(['patch', 'pod', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
    }
    return refusal(asOperator(['delete', 'pod', name, '--wait=false', '--grace-period=0']));
  }

  test.each(['False', undefined] as const)('may delete one with a marker that is not ready (%s)', async (ready) => {
    expect(await remove(markers, ready)).toBeUndefined();
  });

  test('may not delete one that belongs to no StatefulSet', async () => {
    await accepted(() => admin(['create', '-f', '-'], pod('alone', markers)));
    const refused = await refusal(asOperator(['delete', 'pod', 'alone', '--wait=false', '--grace-period=0']));
    expect(refused).toContain('it belongs to no StatefulSet');
  });

  test('may not delete one that is ready', async () => {
    expect(await remove(markers, 'True')).toContain('it is ready, and nothing waits for it');
  });

  test.each([[{}], [{ 'keyferry.io/content': 'x' }]])(
    'may not delete one without a marker: %j',
    async (annotations) => {
      expect(await remove(annotations, 'False')).toContain('it carries no annotation keyferry.io/content.*');
    },
  );

  test('may create and change none, nor what makes them, nor enter them, and an administrator may', async () => {
    await accepted(() => admin(['create', '-f', '-'], pod('kept', markers)));
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'new' }, spec: { template: { spec } } };
    const label = ['label', 'pod', 'kept', 'a=b', '--dry-run=server'];
    const body = JSON.stringify({ status: { phase: 'Running' } });
    const status = ['patch', 'pod', 'kept', '--subresource=status', '--type=merge', '--dry-run=server', '-p', body];

    expect(await refusal(asOperator(create, pod('new')))).toContain('the operator may not CREATE pods');
    expect(await refusal(asOperator(create, job))).toContain('the operator may not CREATE jobs');
    expect(await refusal(asOperator(label))).toContain('the operator may not UPDATE pods');
    expect(await refusal(asOperator(status))).toContain('the operator may not UPDATE pods/status');
    expect(await refusal(asOperator(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/kept/proxy`]))).toContain(
      'the operator may not CONNECT pods/proxy',
    );
    for (const args of [label, status]) expect(await refusal(admin(args))).toBeUndefined();
    for (const object of [pod('new'), job]) expect(await refusal(admin(create, object))).toBeUndefined();
  });
});
