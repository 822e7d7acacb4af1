import { annotations, group } from '../v1/names.ts';
import { celString } from '../v1/parts.ts';
import { secretReferences } from '../v1/resources.ts';
import { auditsObject, auditsObjectUnless, namespaceGoes } from './expressions.ts';
import type { Policy, PolicyOptions } from './policy.ts';

/** Only the operator says what became of an object. */
export function statusPolicy({ operator }: PolicyOptions): Policy {
  const byOperator = `request.userInfo.username == ${celString(operator)}`;
  return {
    name: 'keyferry-status',
    rules: [{ apiGroups: [group], resources: ['*/status'], operations: ['CREATE', 'UPDATE'] }],
    validations: [
      {
        expression: byOperator,
        messageExpression: `'the status of ' + request.resource.resource + ' belongs to the operator (' + ${celString(operator)} + '): change the spec instead'`,
      },
    ],
    auditAnnotations: auditsObjectUnless(byOperator),
  };
}

/** Deleting a CRD deletes every object of its kind, and by garbage collection every Secret that they own. */
export function crdsPolicy(): Policy {
  const allowed = celString(annotations.allowDelete);
  return {
    name: 'keyferry-crds',
    rules: [{ apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], operations: ['DELETE'] }],
    // Not by request.name: it is empty when a whole collection is deleted.
    conditions: [{ name: 'ours', expression: `oldObject != null && oldObject.spec.group == '${group}'` }],
    validations: [
      {
        expression: `has(oldObject.metadata.annotations) && ${allowed} in oldObject.metadata.annotations`,
        messageExpression: `'deleting ' + oldObject.metadata.name + ' deletes every object of this kind and every Secret that they own. If that is meant: kubectl annotate crd ' + oldObject.metadata.name + ' ${annotations.allowDelete}=yes'`,
      },
    ],
    auditAnnotations: auditsObject,
  };
}

/** A change to ownership Orphan protects the Secret only once the operator has let go of it. */
export function orphansPolicy(): Policy {
  return {
    name: 'keyferry-orphans',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['DELETE'] }],
    variables: [
      { name: 'wanted', expression: 'oldObject.spec.target.ownership' },
      {
        name: 'inEffect',
        expression:
          'has(oldObject.status) && has(oldObject.status.target) ? oldObject.status.target.ownership : variables.wanted',
      },
      namespaceGoes,
    ],
    validations: [
      {
        expression: `variables.wanted != 'Orphan' || variables.inEffect == 'Orphan' || variables.namespaceGoes || has(oldObject.metadata.deletionTimestamp)`,
        messageExpression: `'Secret ' + oldObject.status.target.name + ' would go with the reference: ownership Orphan is not in effect yet. Wait until kubectl get sref ' + oldObject.metadata.name + ' -o jsonpath={.status.target.ownership} says Orphan'`,
      },
    ],
    auditAnnotations: auditsObject,
  };
}
