import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { optionalPolicies, policies } from '../../src/api/policies/policies.ts';
import type { Policy } from '../../src/api/policies/policy.ts';

/** What the API server knows of an audit.k8s.io/v1 Policy: any other field keeps it from starting. */
const policySchema = z.strictObject({
  apiVersion: z.literal('audit.k8s.io/v1'),
  kind: z.literal('Policy'),
  omitStages: z.array(z.enum(['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'])),
  rules: z.array(
    z.strictObject({
      level: z.enum(['None', 'Metadata', 'Request', 'RequestResponse']),
      users: z.array(z.string()).optional(),
      verbs: z.array(z.string()).optional(),
      namespaces: z.array(z.string()).optional(),
      resources: z.array(z.strictObject({ group: z.string(), resources: z.array(z.string()).optional() })),
    }),
  ),
});

interface Asked {
  readonly user?: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
}

const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'audit-policy.yaml'), 'utf8');
const policy = policySchema.parse(parse(text));

/** As the API server does it: the level of the first rule that fits; None where none does. */
function levelOf({ user = 'ada', verb, group, resource, namespace = 'shop' }: Asked): string {
  const fits = (list: readonly string[] | undefined, value: string): boolean => list?.includes(value) ?? true;
  const found = policy.rules.find(
    ({ users, verbs, namespaces, resources }) =>
      fits(users, user) &&
      fits(verbs, verb) &&
      fits(namespaces, namespace) &&
      resources.some((each) => each.group === group && isAmong(each.resources, resource)),
  );
  return found?.level ?? 'None';
}

function isAmong(listed: readonly string[] | undefined, resource: string): boolean {
  const [main = ''] = resource.split('/');
  return listed === undefined || listed.includes(resource) || (main !== resource && listed.includes(`${main}/*`));
}

const operator = 'system:serviceaccount:keyferry:keyferry';
const admission = [...policies({ operator, embeddedManagers: ['default'] }), ...optionalPolicies()];

const verbsOf = {
  CREATE: ['create'],
  UPDATE: ['update', 'patch'],
  DELETE: ['delete', 'deletecollection'],
  // The API server names what enters a pod by its HTTP method.
  CONNECT: ['create', 'get'],
} as const;

/** A pod is entered by a subresource: to get the pod itself is no business of a policy. */
function canBe({ verb, resource }: Asked): boolean {
  return verb !== 'get' || resource.includes('/');
}

/** Every kind of request that an admission policy looks at, by whom it looks at. */
function lookedAt({ rules, conditions = [] }: Policy): readonly Asked[] {
  const user = conditions.some(({ name }) => name === 'operator') ? operator : 'ada';
  return rules.flatMap(({ apiGroups, resources, operations }) =>
    apiGroups.flatMap((group) =>
      resources
        .map((resource) => resource.replace(/^\*/, 'secretreferences').replace(/\*$/, 'scale'))
        .flatMap((resource) =>
          operations.flatMap((each) => verbsOf[each].map((verb) => ({ user, verb, group, resource }))),
        ),
    ),
  );
}

describe('the audit policy of the documentation', () => {
  test.each(admission)('notes all that the admission policy $name refuses, and says by which annotations', (each) => {
    const left = lookedAt(each).filter((asked) => canBe(asked) && levelOf(asked) !== 'Metadata');

    expect(left).toEqual([]);
    expect(text).toContain(`#   ${each.name}/${each.auditAnnotations.map(({ key }) => key).join(', /')} `);
  });

  test.each([
    ['create', 'keyferry.io', 'secretversions'],
    ['delete', 'keyferry.io', 'secretversions'],
    ['create', 'keyferry.io', 'secretreveals'],
    ['get', 'keyferry.io', 'secretreveals'],
    ['patch', 'keyferry.io', 'secretreveals/status'],
    ['delete', 'keyferry.io', 'versionedsecrets'],
    ['create', 'keyferry.io', 'secretreferences'],
    ['get', '', 'secrets'],
    ['list', '', 'secrets'],
    ['watch', '', 'secrets'],
    ['delete', 'admissionregistration.k8s.io', 'validatingadmissionpolicies'],
    ['create', 'rbac.authorization.k8s.io', 'rolebindings'],
  ])('notes %s of %s %s', (verb, group, resource) => {
    expect(levelOf({ verb, group, resource })).toBe('Metadata');
  });

  test('has no bodies in it, of whatever it may be', () => {
    const levels = new Set(policy.rules.map(({ level }) => level));

    expect([...levels].toSorted()).toEqual(['Metadata', 'None']);
  });

  test('leaves out nothing but the dry runs of the operator in its own namespace', () => {
    const create = { verb: 'create', group: 'keyferry.io', resource: 'secretversions' };

    expect(levelOf({ ...create, user: operator, namespace: 'keyferry' })).toBe('None');
    expect(levelOf({ ...create, user: operator })).toBe('Metadata');
    expect(levelOf({ ...create, user: operator, namespace: 'keyferry', verb: 'delete' })).toBe('Metadata');
    expect(levelOf({ ...create, namespace: 'keyferry' })).toBe('Metadata');
  });
});
