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

  it('deny, also when they can not be evaluated, but for the one that warns', () => {
    const manifests = all.flatMap(policyManifests);
    const bindings = manifests.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');
    const warning = policyManifests(referencesInUsePolicy()).at(-1);

    expect(manifests).toHaveLength(2 * bindings.length);
    for (const manifest of manifests.filter((one) => !bindings.includes(one))) {
      expect(manifest).toMatchObject({ spec: { failurePolicy: 'Fail' } });
    }
    for (const manifest of bindings.filter(({ metadata }) => metadata.name !== warning?.metadata.name)) {
      const { name } = manifest.metadata;
      expect(manifest).toMatchObject({
        spec: { policyName: name, validationActions: expect.arrayContaining(['Deny']) },
      });
    }
    expect(warning).toMatchObject({ spec: { validationActions: ['Warn'] } });
  });

  it('bring into the audit log who was denied what, wherever the authorizer is asked', () => {
    const authorising = all.filter((policy) => JSON.stringify(policy).includes('authorizer'));

    expect(authorising.map(({ name }) => name)).toEqual([
      'keyferry-references',
      'keyferry-listed-workloads',
      'keyferry-versioned-secrets',
      'keyferry-secret-versions',
      'keyferry-secret-reveals',
      'keyferry-author-access',
    ]);
    for (const { actions, auditAnnotations = [] } of authorising) {
      expect(actions).toEqual(['Deny', 'Audit']);
      expect(auditAnnotations.map(({ key }) => key)).toEqual(expect.arrayContaining(['who', 'verb']));
    }
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
