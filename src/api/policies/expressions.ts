import { group } from '../v1/names.ts';
import { celString, celStrings } from '../v1/parts.ts';
import { versionedSecrets } from '../v1/resources.ts';
import type { AuditAnnotation, Validation, Variable } from './policy.ts';

/** What people may be allowed on a secret. */
export type SecretVerb = 'put' | 'access' | 'destroy';

const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

/** They delete what went with its owner or its namespace: that somebody was allowed to delete. */
const collectors = [
  'system:serviceaccount:kube-system:generic-garbage-collector',
  namespaceController,
  // Where the controllers have no accounts of their own.
  'system:kube-controller-manager',
] as const;

/** CEL: whether the cluster itself cleans up. */
export const byCollector = `request.userInfo.username in ${celStrings(collectors)}`;

/** CEL: whether a namespace goes, also where the API server has not heard of it yet. */
export const byNamespaceController = `request.userInfo.username == ${celString(namespaceController)}`;

/** It is null in match conditions: an exemption there would hang the namespace. */
export const namespaceGoes: Variable = {
  name: 'namespaceGoes',
  expression: 'namespaceObject != null && has(namespaceObject.metadata.deletionTimestamp)',
};

/** CEL: whether the writer holds a verb on a secret of the namespace; `name` is CEL for the name of its object, without it: on every secret. */
export function maySecret(verb: SecretVerb, name?: string): string {
  const named = name === undefined ? '' : `.name(${name})`;
  return `authorizer.group('${group}').resource('${versionedSecrets.plural}').namespace(request.namespace)${named}.check('${verb}').allowed()`;
}

/** CEL: the command that gives it, for whoever may. */
export function grantHint(verb: SecretVerb, name: string): string {
  return `'keyferry grant ${verb} ' + ${name} + ' --to ' + request.userInfo.username + ' -n ' + request.namespace`;
}

/** CEL: what is said to whoever may not. */
export function mayNot(verb: SecretVerb, name: string): string {
  return `request.userInfo.username + ' may not ${verb} secret ' + ${name} + ' in namespace ' + request.namespace + '. Ask for: ' + ${grantHint(verb, name)}`;
}

const who: AuditAnnotation = { key: 'who', valueExpression: 'request.userInfo.username' };

/** Who wants what of which secret; `verb` and `secret` are CEL. */
export function auditsSecret(verb: string, secret: string): readonly AuditAnnotation[] {
  return [
    who,
    { key: 'verb', valueExpression: verb },
    { key: 'secret', valueExpression: `request.namespace + '/' + ${secret}` },
  ];
}

/** CEL: the name of what is asked for. The request has none where the server makes it up, or where a whole collection is deleted. */
const askedName = `(has(request.name) ? request.name : ${hasName('object')} ? object.metadata.name : ${hasName('oldObject')} ? oldObject.metadata.name : '')`;

/** CEL. What is sent to enter a pod is an object without metadata. */
function hasName(object: 'object' | 'oldObject'): string {
  return `${object} != null && has(${object}.metadata) && has(${object}.metadata.name)`;
}

const askedPlace = `(has(request.namespace) ? request.namespace + '/' : '')`;
const askedResource = `request.resource.resource + (has(request.subResource) ? '/' + request.subResource : '')`;

/** Who does what to which object: a resource, and where it is. */
export const auditsObject: readonly AuditAnnotation[] = [
  who,
  { key: 'verb', valueExpression: 'request.operation.lowerAscii()' },
  { key: 'object', valueExpression: `${askedResource} + ' ' + ${askedPlace} + ${askedName}` },
];

/** The same, but of none of those of whom a condition (CEL) holds: what is never refused would only fill the log. */
export function auditsObjectUnless(condition: string): readonly AuditAnnotation[] {
  return auditsObject.map(({ key, valueExpression }) => ({
    key,
    valueExpression: `${condition} ? '' : ${valueExpression}`,
  }));
}

/** The writer's name and groups, where the spec says them, must be those that the API server knows. */
export function inOwnName(field: string, leftOut: string): readonly Validation[] {
  const groups = `object.spec.${field}Groups`;
  return [
    {
      expression: `has(object.spec.${field}) ? object.spec.${field} == request.userInfo.username : ${leftOut}`,
      messageExpression: `'spec.${field} must be who writes it: ' + request.userInfo.username`,
    },
    {
      expression: `!has(${groups}) || (has(request.userInfo.groups) && ${groups}.all(name, name in request.userInfo.groups))`,
      messageExpression: `'spec.${field}Groups may name only groups of ' + request.userInfo.username + ', as kubectl auth whoami shows them'`,
    },
  ].map(({ expression, messageExpression }) => ({
    expression: `request.operation != 'CREATE' || (${expression})`,
    messageExpression,
  }));
}

/** Owners that the object did not have before. What has an owner is deleted with it, by the garbage collector and in nobody's name. */
export const newOwners: readonly Variable[] = [
  { name: 'owners', expression: ownersOf('object') },
  { name: 'oldOwners', expression: ownersOf('oldObject') },
  { name: 'newOwners', expression: 'variables.owners.filter(owner, !(owner in variables.oldOwners))' },
];

/** Finalizers that the object did not have before. What has one stays after it was deleted, for as long as whoever put it there wants. */
export const newFinalizers: Variable = {
  name: 'newFinalizers',
  expression:
    "object != null && has(object.metadata.finalizers) ? object.metadata.finalizers.filter(name, !(name in ['foregroundDeletion', 'orphan']) && !(oldObject != null && has(oldObject.metadata.finalizers) && name in oldObject.metadata.finalizers)) : []",
};

/** All that the garbage collector finds an owner by. It changes the rest itself. */
function ownersOf(object: 'object' | 'oldObject'): string {
  const owners = `${object}.metadata.ownerReferences`;
  return `${object} != null && has(${owners}) ? ${owners}.map(owner, owner.apiVersion + ' ' + owner.kind + ' ' + owner.name + ' ' + owner.uid) : []`;
}

/** Deleting by way of an owner is deleting. `name` is CEL for the name of the secret's object. */
export function mayBeOwned(name: string): Validation {
  return {
    expression: `variables.newOwners.size() == 0 || ${maySecret('destroy', name)}`,
    messageExpression: `'what has an owner is deleted with it, and ' + ${mayNot('destroy', name)} + ', or leave out metadata.ownerReferences'`,
  };
}
