import { describe, expect, it } from 'vitest';
import { rolledKinds } from '../v1/rollout.ts';
import { rolledResources } from '../v1/workload-resources.ts';
import { policies } from './policies.ts';
import { namespaceOf, policyManifests } from './policy.ts';
import { workloadsPolicy } from './workloads.ts';

const operator = 'system:serviceaccount:ferries:harbour';

describe('the admission policies', () => {
  it('are about the operator that they are made for', () => {
    const text = JSON.stringify(policies({ operator }));

    expect(text).toContain(operator);
    expect(text).toContain("'kube-node-lease', 'ferries'");
    expect(text).not.toContain('keyferry:keyferry');
  });

  it('deny, also when they can not be evaluated', () => {
    const manifests = policies({ operator }).flatMap(policyManifests);

    expect(manifests).toHaveLength(16);
    for (const [index, manifest] of manifests.entries()) {
      const spec = index % 2 === 0 ? { failurePolicy: 'Fail' } : { validationActions: ['Deny'] };
      expect(manifest).toMatchObject({ spec });
    }
  });

  it('ask the authorizer at most once in one expression, and never in a macro', () => {
    const expressions = policies({ operator }).flatMap(({ validations, variables = [] }) =>
      [validations, variables].flat().map(({ expression }) => expression),
    );
    const asking = expressions.filter((expression) => expression.includes('authorizer'));

    // Of five managers and of ten workloads.
    expect(asking).toHaveLength(15);
    for (const expression of asking) {
      expect(expression.match(/authorizer/g)).toHaveLength(1);
      expect(expression).not.toMatch(/\.(all|exists|exists_one|map|filter)\(/);
    }
  });

  it('have no name twice, nor a variable of one policy', () => {
    const names = policies({ operator }).map(({ name }) => name);
    const variables = policies({ operator }).map((policy) => (policy.variables ?? []).map(({ name }) => name));

    for (const list of [names, ...variables]) expect(list).toEqual([...new Set(list)]);
  });

  it.each(rolledKinds)('pin what the operator does with a %s and its subresources', (kind) => {
    const { group, plural } = rolledResources[kind];

    const rule = workloadsPolicy({ operator }).rules.find(({ apiGroups }) => apiGroups.includes(group));

    expect(rule?.resources).toEqual(expect.arrayContaining([plural, `${plural}/*`]));
    expect(rule?.operations).toEqual(['CREATE', 'UPDATE', 'DELETE']);
  });

  it.each(['admin', 'system:serviceaccount:keyferry', 'system:serviceaccount::x', 'system:serviceaccount:a:b:c'])(
    'do not take %s for a service account',
    (name) => {
      expect(() => namespaceOf(name)).toThrow(/system:serviceaccount:NAMESPACE:NAME/);
    },
  );
});
