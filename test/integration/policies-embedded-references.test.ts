import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { optionalPolicies } from '../../src/api/policies/policies.ts';
import { policyManifests } from '../../src/api/policies/policy.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { goodData, type Kubectl, kubectlIn, reference, refusal } from './api-objects.ts';
import { dryRun, tryPatch, userWith, writeStatus } from './policies-embedded-support.ts';
import { accepted, applyRoles, grant, operator, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const admin = kubectlIn(cluster, namespace);
const asOperator = kubectlIn(cluster, namespace, operator);

const carol = `carol-${run}`;
const names = Array.from({ length: 21 }, (_, index) => `secret-${String(index).padStart(2, '0')}`);
/** May access some secrets, by name, and use no manager. */
let asCarol: Kubectl;
/** May access every secret of the namespace. */
let asAnn: Kubectl;
/** May use the default manager, and access db.password only. */
let asJane: Kubectl;
/** May access every secret of another namespace. */
let asEve: Kubectl;

const elsewhere = `${namespace}-elsewhere`;

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await runKubectl(cluster, ['create', 'namespace', elsewhere]);
  asCarol = await userWith(cluster, namespace, carol, {
    access: ['db.password', 'signing.key', ...names.slice(0, 20)],
  });
  asAnn = await userWith(cluster, namespace, `ann-${run}`, { access: [] });
  asJane = await userWith(cluster, namespace, `jane-${run}`, { access: ['db.password'] });
  asEve = await userWith(cluster, namespace, `eve-${run}`, { put: [], destroy: [] });
  await userWith(cluster, elsewhere, `eve-${run}`, { access: [] });
  await admin(['create', 'rolebinding', 'use', '--clusterrole=keyferry-use-default-manager', `--user=jane-${run}`]);
  await grant(admin, carol, { verb: 'use', resource: 'secretmanagers', names: ['own'] });
  await refusedWith(() => asEve(dryRun, reference({ data: goodData })), 'may not use');
  for (const kubectl of [asCarol, asAnn, asJane]) await accepted(() => kubectl(dryRun, reference({ data: goodData })));
});

afterAll(async () => {
  await runKubectl(cluster, ['delete', 'namespace', namespace, elsewhere, '--wait=false']);
});

function keys(secrets: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(secrets.map((secret, index) => [`key-${index}`, { secret }]));
}

const own = { kind: 'SecretManager', name: 'own' };

describe('security rule 2: with the manager of the own namespace, access on each secret named is as good as use', () => {
  test.each([
    ['one secret', { data: goodData }],
    ['any spelling of case', { data: { a: { secret: 'DB.Password' } } }],
    ['the properties of one', { dataFrom: [{ extract: { secret: 'db.password' } }] }],
    ['several versions of one', { dataFrom: [{ versions: { secret: 'signing.key', last: 3 } }] }],
    ['one secret many times', { data: keys(Array.from({ length: 100 }, () => 'db.password')) }],
    ['twenty secrets', { data: keys(names.slice(0, 20)) }],
    ['one of another manager that may be used', { data: { ...goodData, b: { secret: 'x', managerRef: own } } }],
  ])('lets through %s', async (_what, spec) => {
    expect(await refusal(asCarol(dryRun, reference(spec)))).toBeUndefined();
  });

  test('says of which secret it is missing, and what to ask for', async () => {
    const spec = { data: { ...goodData, b: { secret: 'Other' } } };

    expect(await refusal(asCarol(dryRun, reference(spec)))).toContain(
      `${carol} may not use ClusterSecretManager default for references of namespace ${namespace}, nor access secret other there. Ask for: keyferry grant access other --to ${carol} -n ${namespace}, or for a Role there with: apiGroups: [keyferry.io], resources: [clustersecretmanagers], resourceNames: [default], verbs: [use]`,
    );
  });

  const findNeeds = 'nor access every secret there, which find needs. Ask for: keyferry grant access "*" --to';
  test.each([
    ['a further secret of dataFrom', { dataFrom: [{ extract: { secret: 'other' } }] }, 'nor access secret other there'],
    ['versions of one', { dataFrom: [{ versions: { secret: 'other', last: 1 } }] }, 'nor access secret other there'],
    ['the last of twenty', { data: keys([...names.slice(1, 20), 'zz']) }, 'nor access secret zz there'],
    ['what find may bring', { data: goodData, dataFrom: [{ find: { prefix: 'db.' } }] }, findNeeds],
    ['more than twenty', { data: keys(names) }, 'which a reference to more than 20 of them needs. Split it.'],
    [
      'a name that is not that of its object',
      { data: { a: { secret: 'App/Config' } } },
      'nor access every secret there, which secret "app/config" needs, as its object has another name.',
    ],
    ['a name that is too long', { data: { a: { secret: 'x'.repeat(241) } } }, 'as its object has another name.'],
    [
      'a name that only looks alike',
      { data: { a: { secret: 'd\u0412.password' } } },
      'as its object has another name.',
    ],
  ])('is not enough for %s', async (_what, spec, says) => {
    expect(await refusal(asCarol(dryRun, reference(spec)))).toContain(says);
    expect(await refusal(asAnn(dryRun, reference(spec)))).toBeUndefined();
    expect(await refusal(asJane(dryRun, reference(spec)))).toBeUndefined();
  });

  test.each([
    ['another ClusterSecretManager', { name: 'org' }, 'ClusterSecretManager org'],
    ['a SecretManager of the same name', { kind: 'SecretManager', name: 'default' }, 'SecretManager default'],
  ])('does not count for %s', async (_what, managerRef, says) => {
    const message = `may not use ${says} for references`;

    expect(await refusal(asAnn(dryRun, reference({ managerRef, data: goodData })))).toContain(message);
    const entry = { data: { ...goodData, b: { secret: 'db.password', managerRef } } };
    expect(await refusal(asAnn(dryRun, reference(entry)))).toContain(message);
  });

  test('does not count in another namespace, nor do put and destroy', async () => {
    expect(await refusal(asEve(dryRun, reference({ data: goodData })))).toContain(
      'nor access secret db.password there',
    );
  });

  test('is asked again where the spec changes, and not for labels', async () => {
    await admin(['create', '-f', '-'], reference({ data: goodData }, 'changed'));
    const patch = (body: object): Promise<string | undefined> => refusal(tryPatch(asCarol, 'sref', 'changed', body));

    expect(await patch({ spec: { data: { b: { secret: 'other' } } } })).toContain('nor access secret other there');
    expect(await patch({ spec: { data: { b: { secret: 'signing.key' } } } })).toBeUndefined();
    expect(await refusal(tryPatch(asEve, 'sref', 'changed', { metadata: { labels: { a: 'b' } } }))).toBeUndefined();
  });

  test('is within the budget of the API server where all has to be asked', async () => {
    const user = `most-${run}`;
    const long = Array.from({ length: 20 }, (_, index) => `${'x'.repeat(230)}${String(index).padStart(2, '0')}`);
    const managers = ['a', 'b', 'c', 'd'].map((name) => `${'m'.repeat(250)}${name}`);
    const kubectl = await userWith(cluster, namespace, user, { access: long, use: managers });
    const data = Object.fromEntries(
      Array.from({ length: 100 }, (_, index): [string, object] => [
        `${'k'.repeat(250)}${index}`,
        index < 96
          ? { secret: long[index % 20] }
          : { secret: 'y'.repeat(512), managerRef: { name: managers[index - 96] } },
      ]),
    );
    const dataFrom = Array.from({ length: 20 }, (_, index) => ({ extract: { secret: long[index] } }));

    await accepted(() => kubectl(dryRun, reference({ data, dataFrom })));

    expect(await refusal(asEve(dryRun, reference({ data, dataFrom })))).toContain('may not use ClusterSecretManager m');
  });
});

describe('the policy author-access, which an installation may add', () => {
  const name = `keyferry-author-access-${run}`;

  beforeAll(async () => {
    for (const policy of optionalPolicies()) {
      const [definition, binding] = policyManifests({ ...policy, name });
      const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': elsewhere } };
      const spec = { policyName: name, validationActions: ['Deny', 'Audit'], matchResources: { namespaceSelector } };
      await admin(['create', '-f', '-'], definition);
      await admin(['create', '-f', '-'], { ...binding, spec });
    }
    const use = ['default', 'org'];
    await userWith(cluster, elsewhere, `kim-${run}`, { access: ['db.password'], use });
    await userWith(cluster, elsewhere, `lee-${run}`, { access: [], use });
    for (const kubectl of [kim, lee]) await accepted(() => kubectl(dryRun, reference({ data: goodData })));
    const withOther = reference({ data: { b: { secret: 'other' } } });
    await refusedWith(() => kim(dryRun, withOther), 'may not access secret other');
  });

  afterAll(async () => {
    await admin(['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', name]);
  });

  const kim = kubectlIn(cluster, elsewhere, `kim-${run}`);
  const lee = kubectlIn(cluster, elsewhere, `lee-${run}`);

  test('asks the writer for access on every secret, who may use the manager too', async () => {
    expect(await refusal(kim(dryRun, reference({ data: goodData })))).toBeUndefined();
    expect(await refusal(kim(dryRun, reference({ data: { ...goodData, b: { secret: 'other' } } })))).toContain(
      `kim-${run} may have references of namespace ${elsewhere} read only what they may access themselves, and may not access secret other there. Ask for: keyferry grant access other --to kim-${run} -n ${elsewhere}`,
    );
  });

  test('asks whatever the manager', async () => {
    const spec = { managerRef: { name: 'org' }, data: { b: { secret: 'other' } } };

    expect(await refusal(kim(dryRun, reference(spec)))).toContain('may not access secret other there');
    expect(await refusal(lee(dryRun, reference(spec)))).toBeUndefined();
  });

  test('asks for access on all secrets where find may bring any', async () => {
    const spec = { dataFrom: [{ find: { prefix: 'db.' } }] };

    expect(await refusal(kim(dryRun, reference(spec)))).toContain(
      'may not access every secret there, which find needs.',
    );
    expect(await refusal(lee(dryRun, reference(spec)))).toBeUndefined();
  });

  test('acts nowhere else', async () => {
    expect(await refusal(asJane(dryRun, reference({ data: { b: { secret: 'other' } } })))).toBeUndefined();
  });
});

describe('deleting a reference', () => {
  const remove = async (name: string): Promise<string | undefined> =>
    refusal(admin(['delete', 'sref', name, '--dry-run=server', '--warnings-as-errors']));
  const consumer = { kind: 'Deployment', name: 'api', uid: 'u', uses: ['env'], state: 'Complete' };

  async function store(name: string, target: object, consumers: readonly object[]): Promise<void> {
    await admin(['create', '-f', '-'], reference({ data: goodData, target }, name));
    await writeStatus(asOperator, 'SecretReference', name, { consumers });
  }

  test.each([
    ['owner', { name: 'api-db' }, 'Secret api-db goes with it, and pods that need it do not start again'],
    ['merge', { ownership: 'Merge' }, 'Secret merge loses its keys, and pods that need them do not start again'],
  ])('in use warns, and is not refused: %s', async (name, target, says) => {
    await store(name, target, [consumer]);

    expect(await remove(name)).toContain(`SecretReference ${name} is used by Deployment/api: ${says}`);
    expect(await refusal(admin(['delete', 'sref', name, '--dry-run=server']))).toBeUndefined();
  });

  test('names five workloads', async () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ ...consumer, name: `api-${index}` }));
    await store('many', {}, many);

    expect(await remove('many')).toContain('Deployment/api-4, ...: Secret many');
  });

  test('that nothing uses says nothing', async () => {
    await store('unused', {}, []);

    expect(await remove('unused')).toBeUndefined();
  });
});
