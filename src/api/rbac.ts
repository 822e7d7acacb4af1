import type { Manifest } from './crd.ts';
import { group, sealingKeysSecret } from './v1/names.ts';
import {
  clusterSecretManagers,
  secretManagers,
  secretReferences,
  secretReveals,
  secretTypeObjects,
  secretVersions,
  versionedSecrets,
} from './v1/resources.ts';
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
  /** The operator's roles carry this name. */
  readonly name: string;
  /** The operator's service account: by default it carries the same name. */
  readonly account?: string;
}

const apiVersion = 'rbac.authorization.k8s.io/v1';
const read = ['get', 'list', 'watch'];
const managers = [secretManagers.plural, clusterSecretManagers.plural];

/** What the operator itself needs: its namespace, its account and the least rights. */
export function operatorManifests(options: RbacOptions): readonly Manifest[] {
  const { namespace, name, account = name } = options;
  return [
    namespaceManifest(namespace),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    ...granted(options, '', operatorRules),
    ...grantedIn(options, namespace, '', leaseRules),
  ];
}

/** What the operator needs besides to roll out workloads. Without it: `--rollouts=false`. */
export function rolloutManifests(options: RbacOptions): readonly Manifest[] {
  return granted(options, '-rollouts', rolloutRules);
}

/** Lets the operator help a StatefulSet on that waits for a pod which can not become ready. A policy says for which. */
export function unstickManifests(options: RbacOptions): readonly Manifest[] {
  return granted(options, '-rollouts-unstick', unstickRules);
}

/** What the operator needs besides to keep secrets in the cluster. Without it: `--embedded=false`. */
export function embeddedManifests(options: RbacOptions): readonly Manifest[] {
  const { namespace } = options;
  return [
    // Files of a folder are applied in the order of their names, and this is the first one that needs it.
    namespaceManifest(namespace),
    ...granted(options, '-embedded', embeddedRules),
    ...grantedIn(options, namespace, '-embedded', probeRules),
  ];
}

/** What an operator with `--watch-namespaces` needs in place of the above: Roles in each of those, and of the cluster only what is of no namespace. */
export interface WatchedManifests {
  /** Once: ClusterRoles, and Roles in the operator's own namespace. */
  readonly once: readonly Manifest[];
  /** For each watched namespace. */
  readonly each: (watched: string) => readonly Manifest[];
}

export function watchedOperatorManifests(options: RbacOptions): WatchedManifests {
  return {
    once: [
      ...granted(options, '', clusterRules),
      ...grantedIn(options, options.namespace, '', [...leaseRules, ...ownSecretRules]),
    ],
    each: (watched) => grantedIn(options, watched, '-watched', watchedRules),
  };
}

export function watchedEmbeddedManifests(options: RbacOptions): WatchedManifests {
  return {
    once: [
      ...granted(options, '-embedded', embeddedClusterRules),
      ...grantedIn(options, options.namespace, '-embedded', [...probeRules, ...sealingKeyRules]),
    ],
    each: (watched) => grantedIn(options, watched, '-watched-embedded', keptRules),
  };
}

export function watchedRolloutManifests(options: RbacOptions): WatchedManifests {
  return { once: [], each: (watched) => grantedIn(options, watched, '-rollouts', rolloutRules) };
}

export function watchedUnstickManifests(options: RbacOptions): WatchedManifests {
  return { once: [], each: (watched) => grantedIn(options, watched, '-rollouts-unstick', unstickRules) };
}

/**
 * What people are given: `view` and `edit` learn of our kinds, everyone may find the key that values are sealed to, and the rest is to be bound. Nothing
 * that lets anybody put, access or destroy a secret, or use a manager, goes into another role.
 */
export function peopleManifests(): readonly Manifest[] {
  return [
    clusterRole('keyferry-view', [rule(group, [secretReferences.plural, ...managers, ...kept], read)], 'view'),
    clusterRole('keyferry-edit', [rule(group, [secretReferences.plural], writing)], 'edit'),
    clusterRole('keyferry-use-default-manager', [
      { ...rule(group, [clusterSecretManagers.plural], ['use']), resourceNames: ['default'] },
    ]),
    clusterRole('keyferry-member', memberRules),
    clusterRole('keyferry-revealer', revealerRules),
    clusterRole('keyferry-admin', adminRules),
    clusterRole('keyferry-discovery', discoveryRules),
    binding('ClusterRole', 'keyferry-discovery', {}, [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' },
    ]),
  ];
}

const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** What the embedded manager keeps, as far as people look at it. */
const kept = [versionedSecrets.plural, secretVersions.plural, secretTypeObjects.plural];

/** Puts, and sees what became of it. */
const memberRules: readonly Rule[] = [
  rule(group, [versionedSecrets.plural], [...read, 'create', 'update', 'patch', 'put']),
  rule(group, [secretVersions.plural], [...read, 'create']),
];

const revealerRules: readonly Rule[] = [
  rule(group, [secretReveals.plural], ['get', 'create']),
  rule(group, [versionedSecrets.plural], ['get', 'access']),
];

/** All that can be done with secrets, one by one: a wildcard would include what is added later. */
const adminRules: readonly Rule[] = [
  rule(group, [versionedSecrets.plural], [...read, ...writing, 'put', 'access', 'destroy']),
  rule(group, [secretVersions.plural, secretReveals.plural, secretTypeObjects.plural], [...read, ...writing]),
];

/** Whoever puts must find the public key, and the types. Neither is a secret. */
const discoveryRules: readonly Rule[] = [
  { ...rule(group, [clusterSecretManagers.plural], ['get']), resourceNames: ['default'] },
  rule(group, [secretTypeObjects.plural], ['get', 'list']),
];

const judged = [versionedSecrets.plural, secretVersions.plural, secretReveals.plural];

const judging: readonly Rule[] = [
  rule(
    group,
    judged.map((plural) => `${plural}/status`),
    ['patch'],
  ),
  // To seal it again, to a new key.
  rule(group, [secretVersions.plural], ['patch']),
  rule(group, [secretVersions.plural, secretReveals.plural], ['delete']),
];

const reviewing = rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']);

const embeddedRules: readonly Rule[] = [
  rule(group, [...judged, secretTypeObjects.plural], read),
  ...judging,
  reviewing,
];

const keptRules: readonly Rule[] = [rule(group, judged, read), ...judging];
const embeddedClusterRules: readonly Rule[] = [rule(group, [secretTypeObjects.plural], read), reviewing];

/** Only ever as a dry run in somebody else's name, to see that the policies refuse it. */
const probeRules: readonly Rule[] = [rule(group, [secretVersions.plural, secretReveals.plural], ['create'])];

const writesSecrets = rule('', ['secrets'], [...read, 'create', 'patch', 'delete']);
const writesEvents = rule('events.k8s.io', ['events'], ['create', 'patch']);

const operatorRules: readonly Rule[] = [
  ...reports([secretReferences.plural, ...managers]),
  writesSecrets,
  rule('', ['namespaces'], read),
  writesEvents,
];

const watchedRules: readonly Rule[] = [
  ...reports([secretReferences.plural, secretManagers.plural]),
  writesSecrets,
  writesEvents,
];

const clusterRules: readonly Rule[] = [
  ...reports([clusterSecretManagers.plural]),
  // Its uid says which cluster this is.
  { ...rule('', ['namespaces'], ['get']), resourceNames: ['kube-system'] },
];

/** The credentials of cluster managers. */
const ownSecretRules: readonly Rule[] = [rule('', ['secrets'], read)];

/** Of the sealing keys it makes the first, and wraps what is to be wrapped. */
const sealingKeyRules: readonly Rule[] = [
  rule('', ['secrets'], ['create']),
  { ...rule('', ['secrets'], ['patch']), resourceNames: [sealingKeysSecret] },
];

const rolloutRules: readonly Rule[] = [
  ...rolledPlurals.map(([apiGroup, plurals]) => rule(apiGroup, plurals, [...read, 'patch'])),
  rule('batch', ['jobs'], read),
  rule('', ['pods'], read),
];

const unstickRules: readonly Rule[] = [rule('', ['pods'], ['delete'])];

const leaseRules: readonly Rule[] = [rule('coordination.k8s.io', ['leases'], ['get', 'create', 'patch'])];

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [apiGroup], resources, verbs };
}

function namespaceManifest(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** One more role of the operator; `suffix` is put behind its name. */
function granted(options: RbacOptions, suffix: string, rules: readonly Rule[]): readonly Manifest[] {
  const role = `${options.name}${suffix}`;
  return [clusterRole(role, rules), binding('ClusterRole', role, {}, [subjectOf(options)])];
}

/** The same in one namespace. */
function grantedIn(
  options: RbacOptions,
  namespace: string,
  suffix: string,
  rules: readonly Rule[],
): readonly Manifest[] {
  const role = `${options.name}${suffix}`;
  return [
    { apiVersion, kind: 'Role', metadata: { name: role, namespace }, rules },
    binding('Role', role, { namespace }, [subjectOf(options)]),
  ];
}

function subjectOf({ namespace, name, account = name }: RbacOptions): unknown {
  return { kind: 'ServiceAccount', name: account, namespace };
}

/** Reads objects, and says in their status what became of them. */
function reports(plurals: readonly string[]): readonly Rule[] {
  return [
    rule(group, plurals, read),
    rule(
      group,
      plurals.map((plural) => `${plural}/status`),
      ['patch'],
    ),
  ];
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
