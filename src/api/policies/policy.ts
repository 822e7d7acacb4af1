import type { Manifest } from '../crd.ts';

/** What the policies are about besides the API itself. */
export interface PolicyOptions {
  /** The API server's name for the operator: `system:serviceaccount:<namespace>:<name>`. */
  readonly operator: string;
  /**
   * Names of the ClusterSecretManagers that are known to be `embedded: {}`. What they give is the namespace's own, so `access` on each secret is as
   * good as `use`. A name must not stand here where that manager is of another kind: its secrets have the same names.
   */
  readonly embeddedManagers: readonly string[];
}

/** One CEL rule, which must hold. The message says what to do. */
export type Validation = { readonly expression: string } & (
  | { readonly message: string }
  | { readonly messageExpression: string }
);

export interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT')[];
}

/** Evaluated when it is first asked for: `variables.<name>`. */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/**
 * What goes into the API server's own audit log with each request that a policy looks at, refused or not; empty text does not. It must hold no part of a
 * value, and never fail: a request whose annotation fails is denied.
 */
export interface AuditAnnotation {
  readonly key: string;
  readonly valueExpression: string;
}

export interface Policy {
  readonly name: string;
  readonly rules: readonly ResourceRule[];
  readonly conditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly variables?: readonly Variable[];
  readonly validations: readonly Validation[];
  readonly auditAnnotations: readonly AuditAnnotation[];
  /** What becomes of a request that breaks a rule. By default it is denied, and noted in the API server's own audit log: it never reaches the operator. */
  readonly actions?: readonly ('Deny' | 'Warn' | 'Audit')[];
}

/** A ValidatingAdmissionPolicy that acts everywhere, also when it can't be evaluated. */
export function policyManifests(policy: Policy): readonly Manifest[] {
  const { name, rules, conditions, variables, validations, auditAnnotations, actions = ['Deny', 'Audit'] } = policy;
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules.map(everyVersion) },
        ...(conditions !== undefined && { matchConditions: conditions }),
        ...(variables !== undefined && { variables }),
        validations: validations.map(forbidden),
        auditAnnotations,
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: actions },
    },
  ];
}

function everyVersion({ apiGroups, resources, operations }: ResourceRule): Readonly<Record<string, unknown>> {
  return { apiGroups, apiVersions: ['*'], resources, operations };
}

function forbidden(validation: Validation): Readonly<Record<string, unknown>> {
  return { ...validation, reason: 'Forbidden' };
}

/**
 * The namespace that the operator runs in.
 * @throws Error when the operator's name is not that of a service account.
 */
export function namespaceOf(operator: string): string {
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(operator) ?? [];
  if (namespace === undefined) {
    throw new Error(`"${operator}" is not a service account: write system:serviceaccount:NAMESPACE:NAME`);
  }
  return namespace;
}
