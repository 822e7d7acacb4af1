import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { goodData, kubectlIn, reference, refusal } from './api-objects.ts';
import { accepted, applyRoles, grant, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const admin = kubectlIn(cluster, namespace);
/** May edit in the namespace, and use the default manager and the namespace's own. */
const jane = kubectlIn(cluster, namespace, `jane-${run}`);
/** May edit in the namespace and use no manager. */
const eve = kubectlIn(cluster, namespace, `eve-${run}`);

const dryRun = ['create', '--dry-run=server', '-f', '-'];
const ownManager = { kind: 'SecretManager', name: 'own' };
const mixed = { a: { secret: 'x' }, b: { secret: 'x', managerRef: ownManager } };

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  for (const user of [`jane-${run}`, `eve-${run}`]) {
    await admin(['create', 'rolebinding', user, '--clusterrole=edit', `--user=${user}`]);
  }
  await admin(['create', 'rolebinding', 'use', '--clusterrole=keyferry-use-default-manager', `--user=jane-${run}`]);
  await grant(admin, `jane-${run}`, { verb: 'use', resource: 'secretmanagers', names: ['own'] });
  await refusedWith(() => eve(dryRun, reference({ data: goodData })), 'may not use');
  await accepted(() => jane(dryRun, reference({ data: mixed })));
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

function managers(count: number): Record<string, unknown> {
  const entries = Array.from({ length: count }, (_, index): [string, object] => [
    `key-${index}`,
    { secret: 'x', managerRef: { name: `manager-${index}` } },
  ]);
  return Object.fromEntries(entries);
}

describe('security rule 2: creating a reference', () => {
  test('needs the verb use, and says on what, and what to ask for', async () => {
    const message = await refusal(eve(dryRun, reference({ data: goodData })));

    expect(message).toContain(
      `eve-${run} may not use ClusterSecretManager default for references of namespace ${namespace}, nor access secret db.password there. Ask for: keyferry grant access db.password --to eve-${run} -n ${namespace}, or for a Role there with: apiGroups: [keyferry.io], resources: [clustersecretmanagers], resourceNames: [default], verbs: [use]`,
    );
  });

  test('is open to who may use all of its managers', async () => {
    expect(await refusal(jane(dryRun, reference({ data: mixed })))).toBeUndefined();
  });

  test.each([
    [
      'the manager of one key',
      { data: { a: { secret: 'x', managerRef: { name: 'other' } } } },
      'ClusterSecretManager other',
    ],
    [
      'the second manager',
      { data: { ...mixed, c: { secret: 'x', managerRef: { name: 'other' } } } },
      'ClusterSecretManager other',
    ],
    [
      'the manager of a dataFrom entry',
      { data: mixed, dataFrom: [{ find: { prefix: 'x' }, managerRef: { kind: 'SecretManager', name: 'other' } }] },
      'SecretManager other',
    ],
    [
      'the general manager of a dataFrom entry',
      { managerRef: { name: 'other' }, dataFrom: [{ extract: { secret: 'x' } }] },
      'ClusterSecretManager other',
    ],
    [
      'a namespaced manager of the same name',
      { managerRef: { kind: 'SecretManager', name: 'default' }, data: goodData },
      'SecretManager default',
    ],
    ['a cluster manager of the same name', { managerRef: { name: 'own' }, data: goodData }, 'ClusterSecretManager own'],
  ])('asks about %s', async (_what, spec, says) => {
    expect(await refusal(jane(dryRun, reference(spec)))).toContain(`may not use ${says} for references`);
  });

  test('does not ask about a general manager that no entry asks', async () => {
    const spec = { managerRef: { name: 'other' }, data: { b: { secret: 'x', managerRef: ownManager } } };

    expect(await refusal(jane(dryRun, reference(spec)))).toBeUndefined();
  });

  test.each([0, 4])('asks about each of five managers: number %i', async (missing) => {
    const user = `user-${missing}-${run}`;
    const names = [0, 1, 2, 3, 4].filter((index) => index !== missing).map((index) => `manager-${index}`);
    await admin(['create', 'rolebinding', user, '--clusterrole=edit', `--user=${user}`]);
    await grant(admin, user, { verb: 'use', resource: 'clustersecretmanagers', names });
    const create = (): Promise<string> => kubectlIn(cluster, namespace, user)(dryRun, reference({ data: managers(5) }));
    const says = `may not use ClusterSecretManager manager-${missing} for references`;

    expect(await refusedWith(create, says)).toContain(says);
  });

  test('always says the manager that is missing, though the order of keys changes from one evaluation to the next', async () => {
    const object = reference({ data: { ...mixed, c: { secret: 'x', managerRef: { name: 'other' } } } });

    const messages = await Promise.all(Array.from({ length: 20 }, () => refusal(jane(dryRun, object))));

    const others = messages.filter((message) => message?.includes('may not use ClusterSecretManager other') !== true);
    expect(others).toEqual([]);
  });

  test('is refused with more than five managers, also to an administrator', async () => {
    expect(await refusal(admin(dryRun, reference({ data: managers(5) })))).toBeUndefined();
    expect(await refusal(admin(dryRun, reference({ data: managers(6) })))).toContain(
      'a SecretReference may name at most 5 different managers: split it into several',
    );
  });

  test('is within the budget of the API server for the largest reference', async () => {
    const managerRef = (index: number): object => ({ kind: 'SecretManager', name: `${'m'.repeat(252)}${index % 5}` });
    const secret = 'x'.repeat(512);
    const keys = Array.from({ length: 100 }, (_, index): [string, object] => [
      `${'k'.repeat(250)}${index}`,
      { secret, managerRef: managerRef(index) },
    ]);
    const dataFrom = Array.from({ length: 20 }, (_, index) => ({ extract: { secret }, managerRef: managerRef(index) }));

    const largest = reference({ data: Object.fromEntries(keys), dataFrom });

    expect(await refusal(admin(dryRun, largest))).toBeUndefined();
    expect(await refusal(eve(dryRun, largest))).toContain('may not use SecretManager mmm');
  });

  test('counts a manager that many keys name once', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => [`key-${index}`, { secret: 'x', managerRef: ownManager }]);

    expect(await refusal(jane(dryRun, reference({ data: Object.fromEntries(keys) })))).toBeUndefined();
  });
});

describe('security rule 2: changing a reference', () => {
  beforeAll(() => admin(['create', '-f', '-'], reference({ data: goodData })));

  const patch = (body: object): readonly string[] =>
    ['patch', 'sref', 'api-db', '--type=merge', '--dry-run=server'].concat(`--patch=${JSON.stringify(body)}`);

  test('needs the verb use where the spec changes', async () => {
    const data = { other: { secret: 'org/root' } };

    expect(await refusal(eve(patch({ spec: { data } })))).toContain('may not use ClusterSecretManager default');
    expect(await refusal(jane(patch({ spec: { data } })))).toBeUndefined();
  });

  test('does not need it for labels and annotations', async () => {
    const metadata = { labels: { team: 'shop' }, annotations: { 'keyferry.io/sync': '1' } };

    expect(await refusal(eve(patch({ metadata })))).toBeUndefined();
  });
});

describe('security rule 10: a reference', () => {
  test.each(['kube-system', 'kube-public', 'kube-node-lease', 'keyferry'])('may not stand in %s', async (system) => {
    const message = await refusal(kubectlIn(cluster, system)(dryRun, reference({ data: goodData })));

    expect(message).toContain(`no reference may stand in namespace ${system}`);
  });
});

describe('security rule 1: the roles', () => {
  test('let a viewer see and not write, and reach no status', async () => {
    const viewer = `viewer-${run}`;
    await admin(['create', 'rolebinding', viewer, '--clusterrole=view', `--user=${viewer}`]);
    const as = kubectlIn(cluster, namespace, viewer);

    await accepted(() => as(['get', 'sref,smgr']));

    expect(await refusal(as(dryRun, reference({ data: goodData })))).toContain('cannot create resource');
  });

  test.each([
    ['create', 'secretmanagers'],
    ['use', 'secretmanagers'],
    ['use', 'clustersecretmanagers'],
    ['patch', 'secretreferences/status'],
    ['update', 'secretreferences/status'],
  ])('do not let an editor %s %s', async (verb, resource) => {
    const spec = { resourceAttributes: attributes(verb, resource), user: `eve-${run}` };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };

    expect(await admin(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}'], review)).toBe('false');
  });

  function attributes(verb: string, path: string): Record<string, string> {
    const [resource = '', subresource = ''] = path.split('/');
    return { namespace, verb, group: 'keyferry.io', resource, subresource };
  }
});
