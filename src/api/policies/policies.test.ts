import { describe, expect, it } from 'vitest';
import { policies } from './policies.ts';
import { namespaceOf, policyManifests } from './policy.ts';

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

    expect(manifests).toHaveLength(10);
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

    expect(asking).toHaveLength(5);
    for (const expression of asking) {
      expect(expression.match(/authorizer/g)).toHaveLength(1);
      expect(expression).not.toMatch(/\.(all|exists|exists_one|map|filter)\(/);
    }
  });

  it.each(['admin', 'system:serviceaccount:keyferry', 'system:serviceaccount::x', 'system:serviceaccount:a:b:c'])(
    'do not take %s for a service account',
    (name) => {
      expect(() => namespaceOf(name)).toThrow(/system:serviceaccount:NAMESPACE:NAME/);
    },
  );
});
