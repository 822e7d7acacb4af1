import { describe, expect, it } from 'vitest';
import type { BindingView, PolicyRule, RoleView, Subject } from './rbac.ts';
import { holdersOf, isAmong, ruleAllows, standsFor, subjectLabel } from './resolve.ts';

const question = { verb: 'put', group: 'keyferry.io', resource: 'versionedsecrets', name: 'db.password' };
const exact: PolicyRule = {
  apiGroups: ['keyferry.io'],
  resources: ['versionedsecrets'],
  resourceNames: ['db.password'],
  verbs: ['put'],
};
const ann: Subject = { kind: 'User', name: 'ann' };
const flux: Subject = { kind: 'ServiceAccount', namespace: 'flux-system', name: 'kustomize-controller' };

function role(name: string, rule: Partial<PolicyRule> = {}, kind: RoleView['kind'] = 'Role'): RoleView {
  return { kind, name, rules: [{ ...exact, ...rule }] };
}

function bind(name: string, to: RoleView, ...subjects: readonly Subject[]): BindingView {
  return { kind: 'RoleBinding', name, role: { kind: to.kind, name: to.name }, subjects };
}

describe('a rule', () => {
  it.each<[string, Partial<PolicyRule>, boolean]>([
    ['that names it all', {}, true],
    ['without names', { resourceNames: [] }, true],
    ['with every verb', { verbs: ['*'] }, true],
    ['with every group', { apiGroups: ['*'] }, true],
    ['with every resource', { resources: ['*'] }, true],
    ['of cluster-admin', { apiGroups: ['*'], resources: ['*'], verbs: ['*'], resourceNames: [] }, true],
    ['of another name', { resourceNames: ['db.password2'] }, false],
    ['with a star for a name, which means nothing', { resourceNames: ['*'] }, false],
    ['of another verb', { verbs: ['get', 'access'] }, false],
    ['of the core group', { apiGroups: [''] }, false],
    ['of a subresource', { resources: ['versionedsecrets/status'] }, false],
    ['of all subresources', { resources: ['*/status'] }, false],
    ['of another resource', { resources: ['secretversions'] }, false],
  ])('%s: %o allows it: %s', (_what, change, allowed) => {
    expect(ruleAllows({ ...exact, ...change }, question)).toBe(allowed);
  });

  it('with names does not allow what has no name yet', () => {
    const create = { ...question, verb: 'create', name: '' };
    expect(ruleAllows({ ...exact, verbs: ['create'] }, create)).toBe(false);
    expect(ruleAllows({ ...exact, verbs: ['create'], resourceNames: [] }, create)).toBe(true);
  });
});

describe('who may', () => {
  it('are the subjects of bindings to roles that allow it, each once, with every way', () => {
    const [one, two] = [role('put-db'), role('admin', { verbs: ['*'] }, 'ClusterRole')];
    const everywhere: BindingView = {
      kind: 'ClusterRoleBinding',
      name: 'admins',
      role: { kind: 'ClusterRole', name: 'admin' },
      subjects: [ann],
    };
    expect(holdersOf(question, [one, two], [bind('b', one, flux, ann), everywhere])).toEqual([
      { subject: ann, by: ['ClusterRole admin by ClusterRoleBinding admins', 'Role put-db by RoleBinding b'] },
      { subject: flux, by: ['Role put-db by RoleBinding b'] },
    ]);
  });

  it('are nobody by a role that nobody is bound to, nor by a binding to a role that is not there', () => {
    expect(holdersOf(question, [role('put-db')], [])).toEqual([]);
    expect(holdersOf(question, [], [bind('b', role('put-db'), ann)])).toEqual([]);
  });

  it('are not those of a ClusterRole with the name of a Role', () => {
    const cluster = role('put-db', { verbs: ['get'] }, 'ClusterRole');
    expect(holdersOf(question, [role('put-db'), cluster], [bind('b', cluster, ann)])).toEqual([]);
  });

  it('are not those whom a ClusterRoleBinding binds to a Role, which it can not', () => {
    const wrong: BindingView = { ...bind('b', role('put-db'), ann), kind: 'ClusterRoleBinding' };
    expect(holdersOf(question, [role('put-db')], [wrong])).toEqual([]);
  });
});

describe('a subject stands for', () => {
  it.each<[Subject, string | undefined]>([
    [ann, undefined],
    [{ kind: 'Group', name: 'shop' }, undefined],
    [flux, 'everyone who can create pods or tokens in namespace flux-system'],
    [
      { kind: 'User', name: 'system:serviceaccount:ci:deployer' },
      'everyone who can create pods or tokens in namespace ci',
    ],
    [{ kind: 'Group', name: 'system:serviceaccounts:ci' }, 'everyone who can create pods or tokens in namespace ci'],
    [{ kind: 'Group', name: 'system:serviceaccounts' }, 'everyone who can create pods or tokens in any namespace'],
    [{ kind: 'Group', name: 'system:authenticated' }, 'everyone whom the API server knows, every pod included'],
  ])('%o: %s', (subject, whom) => {
    expect(standsFor(subject)).toBe(whom);
  });
});

describe('a subject is among those who may', () => {
  const holding = (subject: Subject) => [{ subject, by: [] }];
  it.each<[string, Subject, Subject, boolean]>([
    ['by name', ann, ann, true],
    ['as everybody is', ann, { kind: 'Group', name: 'system:authenticated' }, true],
    [
      'as a service account of the namespace',
      flux,
      { kind: 'Group', name: 'system:serviceaccounts:flux-system' },
      true,
    ],
    ['not of another namespace', flux, { kind: 'Group', name: 'system:serviceaccounts:ci' }, false],
    ['not by a group that nobody knows it is in', ann, { kind: 'Group', name: 'shop' }, false],
  ])('%s', (_how, subject, holder, among) => {
    expect(isAmong(subject, holding(holder))).toBe(among);
  });

  it('and has a name that tells it from others', () => {
    expect([ann, flux].map(subjectLabel)).toEqual(['User ann', 'ServiceAccount flux-system/kustomize-controller']);
  });
});
