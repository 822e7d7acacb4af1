import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { optionalPolicies, policies } from '../../src/api/policies/policies.ts';
import { type Policy, policyManifests } from '../../src/api/policies/policy.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { waitFor } from '../cluster/wait.ts';
import { goodData, kubectlIn, reference, refusal } from './api-objects.ts';
import { applyRolloutCrd } from './argo.ts';
import { applyRoles, operator, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const namespace = `policies-${randomUUID().slice(0, 8)}`;
const admin = kubectlIn(cluster, namespace);
const asOperator = kubectlIn(cluster, namespace, operator);

function statusOf(name: string, status: object): object {
  const metadata = { name, namespace };
  return { apiVersion: 'keyferry.io/v1', kind: 'SecretReference', metadata, status };
}

function target(ownership: string): object {
  return { target: { name: 'held', uid: 'u', resourceVersion: '1', inputs: 'i', ownership } };
}

const applyStatus = ['apply', '--server-side', '--field-manager=keyferry', '--subresource=status', '-f', '-'];

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await admin(['create', '-f', '-'], reference({ data: goodData }, 'plain'));
  await refusedWith(() => admin(applyStatus, statusOf('plain', { summary: 'x' })), 'belongs to the operator');
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

const policySchema = z.object({
  metadata: z.object({ generation: z.int() }),
  status: z.object({
    observedGeneration: z.int(),
    typeChecking: z.object({ expressionWarnings: z.array(z.unknown()).default([]) }),
  }),
});

const manifestSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/**
 * The policy under another name and without a binding, so that it acts on nothing, for versions by name: the API server checks the types of no
 * policy that is for every version.
 */
function typed(policy: Policy): z.infer<typeof manifestSchema> {
  const name = `${policy.name}-typed-${namespace}`;
  const [manifest] = policyManifests({ ...policy, name });
  const text = JSON.stringify(manifest).replaceAll('"apiVersions":["*"]', '"apiVersions":["v1","v1alpha1"]');
  return manifestSchema.parse(JSON.parse(text));
}

async function typeWarnings(policy: Policy): Promise<readonly unknown[]> {
  const manifest = typed(policy);
  await runKubectl(cluster, ['create', '-f', '-'], JSON.stringify(manifest));
  const checked = await waitFor({ what: `the types of ${policy.name} to be checked`, timeout: 60_000 }, async () => {
    const get = ['get', 'validatingadmissionpolicy', manifest.metadata.name, '-o', 'json'];
    const { metadata, status } = policySchema.parse(JSON.parse(await runKubectl(cluster, get)));
    return status.observedGeneration === metadata.generation ? status : undefined;
  });
  await runKubectl(cluster, ['delete', 'validatingadmissionpolicy', manifest.metadata.name]);
  return checked.typeChecking.expressionWarnings;
}

describe('every policy', () => {
  beforeAll(() => applyRolloutCrd(cluster));

  test.each([...policies({ operator, embeddedManagers: ['default'] }), ...optionalPolicies()])(
    'is free of type warnings: $name',
    async (policy) => {
      expect(await typeWarnings(policy)).toEqual([]);
    },
  );

  test('would not be, were it wrong about a field', async () => {
    const rules = [{ apiGroups: ['apps'], resources: ['deployments'], operations: ['CREATE'] as const }];
    const validations = [{ expression: 'object.spec.replica == 1', message: 'x' }];

    expect(await typeWarnings({ name: 'keyferry-wrong', rules, validations, auditAnnotations: [] })).toHaveLength(1);
  });
});

describe('security rule 3: a status', () => {
  test('is refused from an administrator', async () => {
    const message = await refusal(admin(applyStatus, statusOf('plain', { summary: 'x' })));

    expect(message).toContain(
      `the status of secretreferences belongs to the operator (${operator}): change the spec instead`,
    );
  });

  test('is taken from the operator, which has no more rights than its roles', async () => {
    await asOperator(applyStatus, statusOf('plain', { summary: 'db.password@3' }));

    expect(await admin(['get', 'sref', 'plain', '-o', 'jsonpath={.status.summary}'])).toBe('db.password@3');
    expect(await refusal(asOperator(['delete', 'sref', 'plain', '--dry-run=server']))).toContain(
      'cannot delete resource',
    );
  });
});

describe('a change to ownership Orphan', () => {
  const orphan = (name: string): Promise<string> =>
    admin(['patch', 'sref', name, '--type=merge', '--patch={"spec":{"target":{"ownership":"Orphan"}}}']);
  const remove = (name: string): Promise<string | undefined> =>
    refusal(admin(['delete', 'sref', name, '--dry-run=server']));

  beforeAll(async () => {
    for (const name of ['owner', 'fresh']) {
      await admin(['create', '-f', '-'], reference({ data: goodData }, name));
    }
    await asOperator(applyStatus, statusOf('owner', target('Owner')));
  });

  test('holds back the deletion until the operator has let go', async () => {
    expect(await remove('owner')).toBeUndefined();
    await orphan('owner');

    expect(await remove('owner')).toContain(
      'Secret held would go with the reference: ownership Orphan is not in effect yet. Wait until kubectl get sref owner -o jsonpath={.status.target.ownership} says Orphan',
    );

    await asOperator(applyStatus, statusOf('owner', target('Orphan')));
    expect(await remove('owner')).toBeUndefined();
  });

  test('holds nothing back where no Secret was written yet', async () => {
    await orphan('fresh');

    expect(await remove('fresh')).toBeUndefined();
  });

  test('does not hang a namespace that goes away', async () => {
    const doomed = `${namespace}-doomed`;
    await runKubectl(cluster, ['create', 'namespace', doomed]);
    const inDoomed = kubectlIn(cluster, doomed);
    await inDoomed(['create', '-f', '-'], reference({ data: goodData, target: { ownership: 'Orphan' } }, 'stuck'));
    const status = { ...statusOf('stuck', target('Owner')), metadata: { name: 'stuck', namespace: doomed } };
    await kubectlIn(cluster, doomed, operator)(applyStatus, status);
    expect(await refusal(inDoomed(['delete', 'sref', 'stuck']))).toContain('not in effect yet');

    await runKubectl(cluster, ['delete', 'namespace', doomed, '--timeout=90s']);

    expect(await runKubectl(cluster, ['get', 'namespace', doomed, '--ignore-not-found'])).toBe('');
  });
});

describe('deleting a CRD', () => {
  const name = `policytests.keyferry.io`;
  const get = ['get', 'crd', name, '-o', 'name', '--ignore-not-found'];

  beforeAll(async () => {
    const schema = { openAPIV3Schema: { type: 'object' } };
    const spec = {
      group: 'keyferry.io',
      scope: 'Namespaced',
      names: { plural: 'policytests', kind: 'PolicyTest' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name, labels: { test: 'policies' } },
      spec,
    };
    await runKubectl(cluster, ['create', '-f', '-'], JSON.stringify(crd));
  });

  test('is refused for ours, and says what would be lost and what to do', async () => {
    const message = await refusal(runKubectl(cluster, ['delete', 'crd', name]));

    expect(message).toContain(
      `deleting ${name} deletes every object of this kind and every Secret that they own. If that is meant: kubectl annotate crd ${name} keyferry.io/allow-delete=yes`,
    );
  });

  test('is refused for ours when a whole collection is deleted', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=test%3Dpolicies';

    expect(await refusal(runKubectl(cluster, ['delete', '--raw', path]))).toContain(
      `deleting ${name} deletes every object`,
    );
    expect(await runKubectl(cluster, get)).toContain(name);
  });

  test('passes where it is announced', async () => {
    await runKubectl(cluster, ['annotate', 'crd', name, 'keyferry.io/allow-delete=yes']);

    await runKubectl(cluster, ['delete', 'crd', name]);

    expect(await runKubectl(cluster, get)).toBe('');
  });
});
