import type { Manifest } from './crd.ts';
import { group } from './v1/names.ts';
import { clusterSecretManagers, secretManagers, secretReferences } from './v1/resources.ts';
import { rolledPlurals } from './v1/workload-resources.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface RbacOptions {
  /** Where the operator runs. */
  readonly namespace: string;
  /** The operator's service account. Its roles carry the same name. */
  readonly name: string;
}

const apiVersion = 'rbac.authorization.k8s.io/v1';
const read = ['get', 'list', 'watch'];
const managers = [secretManagers.plural, clusterSecretManagers.plural];

/** What the operator itself needs: its namespace, its account and the least rights. */
export function operatorManifests({ namespace, name }: RbacOptions): readonly Manifest[] {
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    clusterRole(name, operatorRules),
    binding('ClusterRole', name, {}, subjects),
    { apiVersion, kind: 'Role', metadata: { name, namespace }, rules: leaseRules },
    binding('Role', name, { namespace }, subjects),
  ];
}

/** What the operator needs besides to roll out workloads. Without it: `--rollouts=false`. */
export function rolloutManifests(account: RbacOptions): readonly Manifest[] {
  return granted(account, 'rollouts', [
    ...rolledPlurals.map(([apiGroup, plurals]) => rule(apiGroup, plurals, [...read, 'patch'])),
    rule('batch', ['jobs'], read),
    rule('', ['pods'], read),
  ]);
}

/** Lets the operator help a StatefulSet on that waits for a pod which can not become ready. A policy says for which. */
export function unstickManifests(account: RbacOptions): readonly Manifest[] {
  return granted(account, 'rollouts-unstick', [rule('', ['pods'], ['delete'])]);
}

/** What people are given: `view` and `edit` learn of our kinds, and one role to bind for the default manager. */
export function peopleManifests(): readonly Manifest[] {
  return [
    clusterRole('keyferry-view', [rule(group, [secretReferences.plural, ...managers], read)], 'view'),
    clusterRole('keyferry-edit', [rule(group, [secretReferences.plural], writing)], 'edit'),
    clusterRole('keyferry-use-default-manager', [
      { ...rule(group, [clusterSecretManagers.plural], ['use']), resourceNames: ['default'] },
    ]),
  ];
}

const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];

const operatorRules: readonly Rule[] = [
  rule(group, [secretReferences.plural, ...managers], read),
  rule(
    group,
    [secretReferences.plural, ...managers].map((plural) => `${plural}/status`),
    ['patch'],
  ),
  rule('', ['secrets'], [...read, 'create', 'patch', 'delete']),
  rule('', ['namespaces'], read),
  rule('events.k8s.io', ['events'], ['create', 'patch']),
];

const leaseRules: readonly Rule[] = [rule('coordination.k8s.io', ['leases'], ['get', 'create', 'patch'])];

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [apiGroup], resources, verbs };
}

/** One more role of the operator. */
function granted({ namespace, name }: RbacOptions, what: string, rules: readonly Rule[]): readonly Manifest[] {
  const role = `${name}-${what}`;
  return [clusterRole(role, rules), binding('ClusterRole', role, {}, [{ kind: 'ServiceAccount', name, namespace }])];
}

function clusterRole(name: string, rules: readonly Rule[], aggregateTo?: 'view' | 'edit'): Manifest {
  const labels = { [`rbac.authorization.k8s.io/aggregate-to-${aggregateTo}`]: 'true' };
  const metadata = aggregateTo === undefined ? { name } : { name, labels };
  return { apiVersion, kind: 'ClusterRole', metadata, rules };
}

function binding(
  role: 'ClusterRole' | 'Role',
  name: string,
  scope: { readonly namespace?: string },
  subjects: readonly unknown[],
): Manifest {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: role, name };
  return { apiVersion, kind: `${role}Binding`, metadata: { name, ...scope }, roleRef, subjects };
}
