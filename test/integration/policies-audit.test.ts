import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { eventually } from '../operator/eventually.ts';
import { goodData, kubectlIn, reference, refusal } from './api-objects.ts';
import { applyRoles, auditEvents, operator, refusedIn, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
/** In every request below, and in those of no other test. */
const run = randomUUID().slice(0, 8);
const namespace = `audit-${run}`;
const admin = kubectlIn(cluster, namespace);
/** With every right in the namespace: what it is refused, it is refused by the policies. */
const asOperator = kubectlIn(cluster, namespace, operator);
const crd = `audits${run}.keyferry.io`;

const container = { name: 'app', image: 'registry.example/app:1' };
const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'run' },
  spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } },
};
const canary = `canary-${randomUUID()}`;
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { generateName: 'made-' },
  stringData: { password: canary },
};
const labels = { app: 'api' };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api' },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
};

const selected = `labelSelector=run%3D${run}`;
const create = ['create', '--dry-run=server', '-f', '-'];
const ofStatus = ['--type=merge', '--subresource=status'];
const entering = ['get', '--raw', `/api/v1/namespaces/${namespace}/pods/alone/proxy`];

function orphan(ownership: string): string {
  const target = { name: 'held', uid: 'u', resourceVersion: '1', inputs: 'i', ownership };
  return `--patch=${JSON.stringify({ status: { target } })}`;
}

async function makeCrd(): Promise<void> {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }];
  const names = { plural: `audits${run}`, kind: `Audit${run}`, singular: `audit${run}` };
  const spec = { group: 'keyferry.io', scope: 'Namespaced', names, versions };
  await admin(['create', '-f', '-'], {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crd, labels: { run } },
    spec,
  });
}

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await admin(['create', 'rolebinding', 'all', '--clusterrole=cluster-admin', `--user=${operator}`]);
  await admin(['create', '-f', '-'], reference({ data: goodData, target: { ownership: 'Orphan' } }, 'plain'));
  await admin(['create', '-f', '-'], deployment);
  await makeCrd();
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone' }, spec: { containers: [container] } };
  await waitFor({ what: 'the namespace to take pods', timeout: 30_000 }, () => admin(['create', '-f', '-'], pod));
  await refusedWith(() => asOperator(create, job), 'the operator may not CREATE jobs');
  await asOperator(['patch', 'sref', 'plain', ...ofStatus, orphan('Owner')]);
});

afterAll(async () => {
  await runKubectl(cluster, ['annotate', 'crd', crd, 'keyferry.io/allow-delete=yes']);
  await runKubectl(cluster, ['delete', 'crd', crd, '--wait=false']);
  await runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']);
});

interface Denied {
  readonly what: string;
  readonly policy: string;
  readonly by?: typeof admin;
  readonly args: readonly string[];
  readonly body?: object;
  readonly verb: string;
  readonly object: string;
  /** What tells the request from the others in the audit log. Default: the run. */
  readonly found?: string;
}

const denied: readonly Denied[] = [
  {
    what: 'a status that somebody else writes',
    policy: 'keyferry-status',
    args: ['patch', 'sref', 'plain', ...ofStatus, orphan('Orphan')],
    verb: 'update',
    object: `secretreferences/status ${namespace}/plain`,
  },
  {
    what: 'the deletion of a CRD',
    policy: 'keyferry-crds',
    args: ['delete', 'crd', crd, '--dry-run=server'],
    verb: 'delete',
    object: `customresourcedefinitions ${crd}`,
  },
  {
    what: 'the deletion of CRDs by a selector, which no name is given for',
    policy: 'keyferry-crds',
    args: ['delete', '--raw', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions?${selected}&dryRun=All`],
    verb: 'delete',
    object: `customresourcedefinitions ${crd}`,
    found: selected,
  },
  {
    what: 'the deletion of a reference that has not let go yet',
    policy: 'keyferry-orphans',
    args: ['delete', 'sref', 'plain', '--dry-run=server'],
    verb: 'delete',
    object: `secretreferences ${namespace}/plain`,
  },
  {
    what: 'a Secret of the operator, whose name the server makes up',
    policy: 'keyferry-operator-secrets',
    by: asOperator,
    args: create,
    body: secret,
    verb: 'create',
    object: `secrets ${namespace}/made-`,
  },
  {
    what: 'a Deployment that the operator scales',
    policy: 'keyferry-workloads',
    by: asOperator,
    args: ['scale', 'deployment', 'api', '--replicas=3'],
    verb: 'update',
    object: `deployments/scale ${namespace}/api`,
  },
  {
    what: 'a Job of the operator',
    policy: 'keyferry-pods',
    by: asOperator,
    args: create,
    body: job,
    verb: 'create',
    object: `jobs ${namespace}/run`,
  },
  {
    what: 'a pod that the operator enters, which is not in the request',
    policy: 'keyferry-pods',
    by: asOperator,
    args: entering,
    verb: 'connect',
    object: `pods/proxy ${namespace}/alone`,
  },
];

describe('what is denied stands in the audit log of the cluster, with who, verb and object:', () => {
  test.each(denied)('$what', async ({ policy, by = admin, args, body, verb, object, found = run }) => {
    expect(await refusal(by(args, body))).toContain(policy);

    await eventually('the audit log has it', async () => {
      const said = await refusedIn(cluster, found, policy);
      expect(said).toMatchObject({
        [`${policy}/who`]: expect.stringMatching(
          by === admin ? /^(?!system:serviceaccount:)/ : /^system:serviceaccount:keyferry:keyferry$/,
        ),
        [`${policy}/verb`]: verb,
        [`${policy}/object`]: expect.stringContaining(object),
      });
      expect(JSON.stringify(said)).not.toContain(canary);
    });
  });
});

describe('a status that the operator writes', () => {
  test('is nothing that the audit log has to name it for', async () => {
    const written = await eventually('the audit log has it', async () => {
      const events = await auditEvents(cluster, `${namespace}/secretreferences/plain/status`);
      const own = events.find(({ impersonatedUser }) => impersonatedUser?.username === operator);
      if (own === undefined) throw new Error('not yet');
      return own;
    });

    expect(written.annotations).toHaveProperty(['authorization.k8s.io/decision'], 'allow');
    expect(written.annotations).not.toHaveProperty(['keyferry-status/who']);
  });
});
