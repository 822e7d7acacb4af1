import type { BindingView, PolicyRule, RoleView, Subject } from './rbac.ts';

/** Something that somebody may be allowed to do. */
export interface Question {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty for what has no name yet (create) or is every name (list): then a rule that names objects does not count. */
  readonly name: string;
}

/** Somebody who may, and by what. */
export interface Holder {
  readonly subject: Subject;
  /** `ClusterRole cluster-admin by ClusterRoleBinding cluster-admin`, each. */
  readonly by: readonly string[];
}

/** Whether one rule allows it, by the same comparison as the API server's. */
export function ruleAllows(rule: PolicyRule, { verb, group, resource, name }: Question): boolean {
  const names = rule.resourceNames;
  return (
    has(rule.verbs, verb) &&
    has(rule.apiGroups, group) &&
    has(rule.resources, resource) &&
    (names.length === 0 || (name !== '' && names.includes(name)))
  );
}

function has(given: readonly string[], wanted: string): boolean {
  return given.includes('*') || given.includes(wanted);
}

/** Who may do it, each once, service accounts last. `roles` and `bindings` are those of the cluster and of one namespace. */
export function holdersOf(
  question: Question,
  roles: readonly RoleView[],
  bindings: readonly BindingView[],
): readonly Holder[] {
  const allowing = new Set(
    roles.filter(({ rules }) => rules.some((rule) => ruleAllows(rule, question))).map((role) => keyOf(role)),
  );
  const found = new Map<string, { readonly subject: Subject; readonly by: Set<string> }>();
  for (const binding of bindings) {
    // A ClusterRoleBinding can bind a ClusterRole only: one that says otherwise binds nothing.
    const possible = binding.kind === 'RoleBinding' || binding.role.kind === 'ClusterRole';
    if (!possible || !allowing.has(keyOf(binding.role))) continue;
    for (const subject of binding.subjects) {
      const holder = found.get(subjectLabel(subject)) ?? { subject, by: new Set<string>() };
      holder.by.add(`${binding.role.kind} ${binding.role.name} by ${binding.kind} ${binding.name}`);
      found.set(subjectLabel(subject), holder);
    }
  }
  return [...found.values()]
    .map(({ subject, by }) => ({ subject, by: [...by].toSorted() }))
    .toSorted((a, b) => sortKey(a.subject).localeCompare(sortKey(b.subject)));
}

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

function sortKey(subject: Subject): string {
  return `${['User', 'Group', 'ServiceAccount'].indexOf(subject.kind)} ${subjectLabel(subject)}`;
}

/** `User ann`, `Group shop`, `ServiceAccount flux-system/kustomize-controller`. */
export function subjectLabel({ kind, name, namespace }: Subject): string {
  return kind === 'ServiceAccount' ? `${kind} ${namespace ?? ''}/${name}` : `${kind} ${name}`;
}

const serviceAccountsOf = 'system:serviceaccounts:';
const serviceAccountUser = /^system:serviceaccount:(?<namespace>[^:]+):[^:]+$/;

/** Whom a subject really stands for; undefined where it is just itself. */
export function standsFor({ kind, name, namespace }: Subject): string | undefined {
  if (kind === 'ServiceAccount') return podsOf(namespace ?? '');
  if (kind === 'User') {
    const of = serviceAccountUser.exec(name)?.groups?.['namespace'];
    return of === undefined ? undefined : podsOf(of);
  }
  if (name.startsWith(serviceAccountsOf)) return podsOf(name.slice(serviceAccountsOf.length));
  if (name === 'system:serviceaccounts') return 'everyone who can create pods or tokens in any namespace';
  if (name === 'system:authenticated') return 'everyone whom the API server knows, every pod included';
  if (name === 'system:unauthenticated') return 'everyone who can reach the API server';
  if (name === 'system:masters') return 'whoever holds an administrator certificate: no role can limit them';
  return undefined;
}

function podsOf(namespace: string): string {
  return `everyone who can create pods or tokens in namespace ${namespace}`;
}

/** Whether a subject, or everybody, is among the holders: a group that it may be in is not known here. */
export function isAmong(subject: Subject, holders: readonly Holder[]): boolean {
  const all = ['Group system:authenticated'];
  if (subject.kind === 'ServiceAccount') {
    const { namespace = '', name } = subject;
    all.push('Group system:serviceaccounts', `Group ${serviceAccountsOf}${namespace}`);
    all.push(`User system:serviceaccount:${namespace}:${name}`);
  }
  const wanted = new Set([...all, subjectLabel(subject)]);
  return holders.some((holder) => wanted.has(subjectLabel(holder.subject)));
}
