import { describe, expect, it } from 'vitest';
import { rolledKinds } from '../v1/rollout.ts';
import { rolledResources } from '../v1/workload-resources.ts';
import { optionalPolicies, policies } from './policies.ts';
import { namespaceOf, policyManifests } from './policy.ts';
import { referencesInUsePolicy } from './references-in-use.ts';
import { workloadsPolicy } from './workloads.ts';

const options = { operator: 'system:serviceaccount:ferries:harbour', embeddedManagers: ['default', 'home'] };
const all = [...policies(options), ...optionalPolicies()];

describe('the admission policies', () => {
  it('are about the operator that they are made for', () => {
    const text = JSON.stringify(policies(options));

    expect(text).toContain(options.operator);
    expect(text).toContain("'kube-node-lease', 'ferries'");
    expect(text).not.toContain('keyferry:keyferry');
  });

  it('deny, also when they can not be evaluated, and note it in the audit log, but for the one that warns', () => {
    const manifests = all.flatMap(policyManifests);
    const bindings = manifests.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');
    const warning = policyManifests(referencesInUsePolicy()).at(-1);

    expect(manifests).toHaveLength(2 * bindings.length);
    for (const manifest of manifests.filter((one) => !bindings.includes(one))) {
      expect(manifest).toMatchObject({ spec: { failurePolicy: 'Fail' } });
    }
    for (const manifest of bindings.filter(({ metadata }) => metadata.name !== warning?.metadata.name)) {
      const { name } = manifest.metadata;
      expect(manifest).toMatchObject({ spec: { policyName: name, validationActions: ['Deny', 'Audit'] } });
    }
    expect(warning).toMatchObject({ spec: { validationActions: ['Warn'] } });
  });

  it.each(all)('bring into the audit log who tried what on what: $name', (policy) => {
    const [definition] = policyManifests(policy);
    const keys = policy.auditAnnotations.map(({ key }) => key);

    expect(keys).toEqual(['who', 'verb', expect.stringMatching(/^(?:object|secret|workloads)$/)]);
    expect(definition).toMatchObject({ spec: { auditAnnotations: policy.auditAnnotations } });
  });

  it('bring no part of a secret into the audit log, whatever it is refused for', () => {
    const said = all.flatMap(({ auditAnnotations, validations }) => [
      ...auditAnnotations.map(({ valueExpression }) => valueExpression),
      ...validations.map((one) => ('message' in one ? one.message : one.messageExpression)),
    ]);

    for (const text of said) expect(text).not.toMatch(/bject\.(?:data|stringData|spec\.sealed)\b/);
  });

  it('ask the authorizer at most once in one expression, and never in a macro', () => {
    const expressions = all.flatMap(({ validations, variables = [] }) =>
      [validations, variables].flat().map(({ expression }) => expression),
    );
    const asking = expressions.filter((expression) => expression.includes('authorizer'));

    for (const expression of asking) {
      expect(expression.match(/authorizer/g)).toHaveLength(1);
      expect(expression).not.toMatch(/\.(all|exists|exists_one|map|filter)\(/);
    }
  });

  it('ask the authorizer at most 28 times in one policy, which is what its budget allows', () => {
    const questions = all.map((policy) => JSON.stringify(policy).match(/authorizer/g)?.length ?? 0);

    expect(Math.max(...questions)).toBeLessThanOrEqual(28);
  });

  it('have no name twice, nor a variable of one policy', () => {
    const names = all.map(({ name }) => name);
    const variables = all.map((policy) => (policy.variables ?? []).map(({ name }) => name));

    for (const list of [names, ...variables]) expect(list).toEqual([...new Set(list)]);
  });

  it('use no variable before it is declared', () => {
    for (const { name, variables = [] } of all) {
      for (const [index, { expression }] of variables.entries()) {
        const known = variables.slice(0, index).map((variable) => variable.name);
        const used = [...expression.matchAll(/variables\.(\w+)/g)].map(([, used = '']) => used);
        expect(known, `${name}: ${expression}`).toEqual(expect.arrayContaining(used));
      }
    }
  });

  it('take `access` for `use` with the managers that they are made for, and with no other', () => {
    const own = (embeddedManagers: readonly string[]): string =>
      JSON.stringify(policies({ ...options, embeddedManagers }).find(({ name }) => name === 'keyferry-references'));

    expect(own(['home'])).toContain("['ClusterSecretManager/home']");
    expect(own([])).toContain('variables.first0 in []');
  });

  it.each(rolledKinds)('pin what the operator does with a %s and its subresources', (kind) => {
    const { group, plural } = rolledResources[kind];

    const rule = workloadsPolicy(options).rules.find(({ apiGroups }) => apiGroups.includes(group));

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
