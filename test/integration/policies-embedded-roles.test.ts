import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { kubectlIn } from './api-objects.ts';
import { accepted, applyRoles } from './policies-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const admin = kubectlIn(cluster, namespace);

const roles = ['view', 'edit', 'keyferry-member', 'keyferry-revealer', 'keyferry-admin'] as const;
type Role = (typeof roles)[number];

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  for (const role of roles) {
    await admin(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}-${run}`]);
  }
  await accepted(async () => {
    const denied = await mayAll('keyferry-admin', [['destroy', 'versionedsecrets']]);
    if (denied.length > 0) throw new Error('the roles are not in force yet');
    return '';
  });
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

async function may(user: string, verb: string, path: string, name = ''): Promise<boolean> {
  const [resource = '', subresource = ''] = path.split('/');
  const resourceAttributes = { namespace, verb, group: 'keyferry.io', resource, subresource, name };
  const spec = { resourceAttributes, user, groups: ['system:authenticated'] };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  return (await admin(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}'], review)) === 'true';
}

type Question = readonly [verb: string, resource: string];

/** The questions that are answered with no. */
async function mayAll(role: Role, questions: readonly Question[]): Promise<readonly string[]> {
  const answers = await Promise.all(
    questions.map(async ([verb, resource]) =>
      (await may(`${role}-${run}`, verb, resource)) ? [] : [`${verb} ${resource}`],
    ),
  );
  return answers.flat();
}

const secret = 'versionedsecrets';
const version = 'secretversions';
const reveal = 'secretreveals';
const every: readonly Question[] = [
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'].flatMap((verb) =>
    [secret, version, reveal].map((resource): Question => [verb, resource]),
  ),
  ...['put', 'access', 'destroy'].map((verb): Question => [verb, secret]),
];
const seen: readonly Question[] = ['get', 'list', 'watch'].flatMap((verb) =>
  [secret, version].map((resource): Question => [verb, resource]),
);

const given: Readonly<Record<Role, readonly Question[]>> = {
  view: seen,
  edit: seen,
  'keyferry-member': [
    ...seen,
    ['create', version],
    ['create', secret],
    ['update', secret],
    ['patch', secret],
    ['put', secret],
  ],
  'keyferry-revealer': [
    ['get', reveal],
    ['create', reveal],
    ['get', secret],
    ['access', secret],
  ],
  'keyferry-admin': every,
};

describe('security rule 1: the roles', () => {
  test.each(roles)('%s gives what it says and nothing else', async (role) => {
    const words = (questions: readonly Question[]): readonly string[] =>
      questions.map((question) => question.join(' '));
    const denied = await mayAll(role, every);

    expect(denied.toSorted()).toEqual(
      words(every)
        .filter((question) => !words(given[role]).includes(question))
        .toSorted(),
    );
  });

  test.each(roles)('%s gives no status, no manager and not the use of one', async (role) => {
    const questions: readonly Question[] = [
      ...[secret, version, reveal].map((resource): Question => ['patch', `${resource}/status`]),
      ['create', 'clustersecretmanagers'],
      ['create', 'secretmanagers'],
      ['use', 'clustersecretmanagers'],
      ['use', 'secretmanagers'],
    ];

    expect(await mayAll(role, questions)).toHaveLength(questions.length);
  });

  test('let everybody find the public key and the types', async () => {
    const nobody = `nobody-${run}`;

    expect(await may(nobody, 'get', 'clustersecretmanagers', 'default')).toBe(true);
    expect(await may(nobody, 'list', 'secrettypes')).toBe(true);
    expect(await may(nobody, 'get', 'clustersecretmanagers', 'other')).toBe(false);
    expect(await may(nobody, 'list', 'clustersecretmanagers')).toBe(false);
    expect(await may(nobody, 'use', 'clustersecretmanagers', 'default')).toBe(false);
  });
});
