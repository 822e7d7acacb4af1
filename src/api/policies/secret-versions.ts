import { annotations, group, labels } from '../v1/names.ts';
import { celString } from '../v1/parts.ts';
import { secretVersions, versionedSecrets } from '../v1/resources.ts';
import {
  auditsSecret,
  byCollector,
  byNamespaceController,
  inOwnName,
  mayBeOwned,
  mayNot,
  maySecret,
  namespaceGoes,
  newFinalizers,
  newOwners,
} from './expressions.ts';
import type { Policy, PolicyOptions, Validation } from './policy.ts';

const trim = celString(labels.trim);
const allowDelete = celString(annotations.allowDelete);

function labelOf(object: 'object' | 'oldObject'): string {
  const map = `${object}.metadata.labels`;
  return `(has(${map}) && ${trim} in ${map} ? ${map}[${trim}] : '')`;
}

/** Who may put a version, and destroy one. What a version says can't change: the schema sees to that, but for what is sealed. */
export function secretVersionsPolicy({ operator }: PolicyOptions): Policy {
  return {
    name: 'keyferry-secret-versions',
    rules: [{ apiGroups: [group], resources: [secretVersions.plural], operations: ['CREATE', 'UPDATE', 'DELETE'] }],
    variables: [
      { name: 'byOperator', expression: `request.userInfo.username == ${celString(operator)}` },
      { name: 'secret', expression: 'object != null ? object.spec.secret : oldObject.spec.secret' },
      {
        name: 'users',
        expression:
          'oldObject != null && has(oldObject.status) && has(oldObject.status.users) ? oldObject.status.users : 0',
      },
      namespaceGoes,
      // The operator judges by itself, and with a namespace all goes in any case.
      { name: 'free', expression: `variables.byOperator || variables.namespaceGoes || ${byNamespaceController}` },
      {
        name: 'goesWithSecret',
        expression: `oldObject != null && has(oldObject.metadata.ownerReferences) && oldObject.metadata.ownerReferences.exists(owner, owner.kind == '${versionedSecrets.kind}' && owner.name == variables.secret)`,
      },
      ...newOwners,
      newFinalizers,
    ],
    validations: [...creation, ...change, ...deletion],
    auditAnnotations: auditsSecret(
      "request.operation == 'DELETE' ? 'destroy' : request.operation == 'CREATE' ? 'put' : 'change'",
      'variables.secret',
    ),
  };
}

const creation: readonly Validation[] = [
  // GitOps tools are service accounts, and apply what others wrote.
  ...inOwnName('createdBy', "request.userInfo.username.startsWith('system:serviceaccount:')"),
  {
    expression: `request.operation != 'CREATE' || ${maySecret('put', 'variables.secret')}`,
    messageExpression: mayNot('put', 'variables.secret'),
  },
];

const change: readonly Validation[] = [
  {
    expression:
      "request.operation != 'UPDATE' || variables.byOperator || (has(object.spec.sealed) == has(oldObject.spec.sealed) && (!has(object.spec.sealed) || object.spec.sealed == oldObject.spec.sealed))",
    messageExpression: `'version ' + string(oldObject.spec.version) + ' of ' + variables.secret + ' cannot change: put a new one. Only the operator seals one again, to another key: keyferry keys reseal'`,
  },
  {
    // Whoever sets it lets the version go once it is old.
    expression: `request.operation != 'UPDATE' || variables.byOperator || ${labelOf('object')} == ${labelOf('oldObject')} || ${maySecret('put', 'variables.secret')}`,
    messageExpression: `'the label ${labels.trim} says who owns a version, and ' + ${mayNot('put', 'variables.secret')}`,
  },
  unlessOperator(mayBeOwned('variables.secret')),
  {
    // What is refused is deleted at once: held by a finalizer, it would fill the cluster's storage.
    expression: `variables.byOperator || variables.newFinalizers.size() == 0 || ${maySecret('destroy', 'variables.secret')}`,
    messageExpression: `'a finalizer keeps a version that is deleted, and ' + ${mayNot('destroy', 'variables.secret')} + ', or leave out metadata.finalizers'`,
  },
];

const deletion: readonly Validation[] = [
  {
    expression: `request.operation != 'DELETE' || variables.free || ${byCollector} || ${maySecret('destroy', 'variables.secret')}`,
    messageExpression: mayNot('destroy', 'variables.secret'),
  },
  // Also for the garbage collector: whoever gives a version an owner that is gone deletes it. Where it goes with its secret, that was asked then.
  {
    expression: `request.operation != 'DELETE' || variables.free || (${byCollector} && variables.goesWithSecret) || variables.users == 0 || (has(oldObject.metadata.annotations) && ${allowDelete} in oldObject.metadata.annotations)`,
    messageExpression: `'version ' + string(oldObject.spec.version) + ' of ' + variables.secret + ' is used by ' + string(variables.users) + (variables.users == 1 ? ' reference' : ' references') + ': keyferry show ' + variables.secret + ' -n ' + request.namespace + ' names them. Let them move to another version first. If it must go at once: keyferry delete ' + variables.secret + ' --version ' + string(oldObject.spec.version) + ' --force -n ' + request.namespace`,
  },
];

function unlessOperator(validation: Validation): Validation {
  return { ...validation, expression: `variables.byOperator || ${validation.expression}` };
}
