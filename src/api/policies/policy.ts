import type { Manifest } from '../crd.ts';

/** What the policies are about besides the API itself. */
export interface PolicyOptions {
  /** The API server's name for the operator: `system:serviceaccount:<namespace>:<name>`. */
  readonly operator: string;
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

export interface Policy {
  readonly name: string;
  readonly rules: readonly ResourceRule[];
  readonly conditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly variables?: readonly Variable[];
  readonly validations: readonly Validation[];
}

/** A ValidatingAdmissionPolicy that denies, everywhere, also when it can't be evaluated. */
export function policyManifests(policy: Policy): readonly Manifest[] {
  const { name, rules, conditions, variables, validations } = policy;
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
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
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
