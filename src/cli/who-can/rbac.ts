import { z } from 'zod';
import type { RawObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';

const group = 'rbac.authorization.k8s.io';
const version = 'v1';
export const roles: Resource = { group, version, plural: 'roles', kind: 'Role', namespaced: true };
export const roleBindings: Resource = { group, version, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true };
export const clusterRoles: Resource = {
  group,
  version,
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
};
export const clusterRoleBindings: Resource = {
  group,
  version,
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

const words = z
  .array(z.string())
  .nullish()
  .transform((given) => given ?? []);

const ruleSchema = z.object({ apiGroups: words, resources: words, resourceNames: words, verbs: words });
const roleSchema = z.object({
  rules: z
    .array(ruleSchema)
    .nullish()
    .transform((given) => given ?? []),
});

const subjectSchema = z.object({
  kind: z.enum(['User', 'Group', 'ServiceAccount']),
  name: z.string(),
  namespace: z.string().optional(),
});
const bindingSchema = z.object({
  roleRef: z.object({ kind: z.enum(['Role', 'ClusterRole']), name: z.string() }),
  subjects: z
    .array(z.unknown())
    .nullish()
    .transform((given) => (given ?? []).flatMap((subject) => subjectSchema.safeParse(subject).data ?? [])),
});

export type PolicyRule = z.infer<typeof ruleSchema>;
export type Subject = z.infer<typeof subjectSchema>;

/** A Role or ClusterRole. The rules of aggregated ones stand in them already. */
export interface RoleView {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

/** A RoleBinding of the namespace, or a ClusterRoleBinding. */
export interface BindingView {
  readonly kind: 'RoleBinding' | 'ClusterRoleBinding';
  readonly name: string;
  readonly role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string };
  readonly subjects: readonly Subject[];
}

export function toRole(kind: RoleView['kind'], raw: RawObject): readonly RoleView[] {
  const { data } = roleSchema.safeParse(raw);
  return data === undefined ? [] : [{ kind, name: raw.metadata.name, rules: data.rules }];
}

export function toBinding(kind: BindingView['kind'], raw: RawObject): readonly BindingView[] {
  const { data } = bindingSchema.safeParse(raw);
  return data === undefined ? [] : [{ kind, name: raw.metadata.name, role: data.roleRef, subjects: data.subjects }];
}
