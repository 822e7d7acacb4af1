import { group } from '../v1/names.ts';
import { versionedSecrets } from '../v1/resources.ts';
import { auditsSecret, byCollector, mayBeOwned, mayNot, maySecret, namespaceGoes, newOwners } from './expressions.ts';
import type { Policy, Validation, Variable } from './policy.ts';

/** How many references a refusal names, with at most three workloads of each; and how long that may be: the API server cuts nothing, it drops the whole. */
const MOST_NAMED = 10;
const MOST_WORKLOADS = 3;
const LONGEST_LIST = 1500;

/** Who may make a secret, change what is said of it, and delete it; and that none is deleted under its users. */
export function versionedSecretsPolicy(): Policy {
  return {
    name: 'keyferry-versioned-secrets',
    rules: [{ apiGroups: [group], resources: [versionedSecrets.plural], operations: ['CREATE', 'UPDATE', 'DELETE'] }],
    variables: [
      { name: 'secret', expression: 'object != null ? object.metadata.name : oldObject.metadata.name' },
      ...changes,
      namespaceGoes,
      ...usage,
      ...newOwners,
    ],
    validations: [...writing, ...deletion],
    auditAnnotations: auditsSecret(
      "request.operation == 'DELETE' ? 'destroy' : variables.puts ? 'put' : variables.unprotects ? 'destroy' : 'change'",
      'variables.secret',
    ),
  };
}

const changes: readonly Variable[] = [
  // Types decide what is taken for a value, labels what `find` finds.
  {
    name: 'meaning',
    expression:
      "request.operation == 'UPDATE' && ((has(object.spec.type) ? object.spec.type : '') != (has(oldObject.spec.type) ? oldObject.spec.type : '') || (has(object.metadata.labels) ? object.metadata.labels : {}) != (has(oldObject.metadata.labels) ? oldObject.metadata.labels : {}))",
  },
  {
    name: 'unprotects',
    expression: "request.operation == 'UPDATE' && !object.spec.deletionProtection && oldObject.spec.deletionProtection",
  },
  // Whoever may destroy it need not hold put to take its protection off.
  {
    name: 'puts',
    expression: `request.operation == 'CREATE' || (request.operation == 'UPDATE' && (variables.meaning || (object.spec != oldObject.spec && !(variables.unprotects && ${restKept('object', 'oldObject')} && ${restKept('oldObject', 'object')}))))`,
  },
  {
    name: 'latest',
    expression:
      'oldObject != null && has(oldObject.status) && has(oldObject.status.latest) ? oldObject.status.latest : 0',
  },
  // In a secret that is made they may stand before its versions come: so it is where git has both.
  {
    name: 'ahead',
    expression:
      "request.operation == 'UPDATE' && has(object.spec.disabledVersions) ? object.spec.disabledVersions.filter(number, number > variables.latest && !(has(oldObject.spec.disabledVersions) && number in oldObject.spec.disabledVersions)) : []",
  },
  { name: 'disabled', expression: disabledIn('object') },
  { name: 'wasDisabled', expression: disabledIn('oldObject') },
];

/** CEL: whether each field of the one spec but the protection is as in the other. */
function restKept(one: string, other: string): string {
  const [here, there] = [`dyn(${one}).spec`, `dyn(${other}).spec`];
  return `${here}.all(key, key == 'deletionProtection' || (key in ${there} && ${there}[key] == ${here}[key]))`;
}

function disabledIn(object: 'object' | 'oldObject'): string {
  return `${object} != null && has(${object}.spec.disabledVersions) && variables.latest in ${object}.spec.disabledVersions`;
}

const title = '(has(oldObject.spec.name) ? oldObject.spec.name : oldObject.metadata.name)';

/** As a shell takes it. */
const argument = `(${title}.contains(' ') ? '"' + ${title} + '"' : ${title})`;

const writing: readonly Validation[] = [
  {
    expression: `!variables.puts || ${maySecret('put', 'variables.secret')}`,
    messageExpression: mayNot('put', 'variables.secret'),
  },
  {
    expression: `!variables.meaning || ${maySecret('access', 'variables.secret')}`,
    messageExpression: `'its type and labels say what it is and who finds it, and ' + ${mayNot('access', 'variables.secret')}`,
  },
  {
    expression: '!variables.disabled || variables.wasDisabled',
    messageExpression: `'version ' + string(variables.latest) + ' is the latest of secret ' + ${title} + ', and the latest cannot be disabled: put or roll back first'`,
  },
  {
    expression: 'variables.ahead.size() == 0',
    messageExpression: `'version ' + string(variables.ahead[0]) + ' of secret ' + ${title} + ' is not there yet, and would be disabled as the latest: only versions before the latest can be disabled'`,
  },
  {
    expression: `!variables.unprotects || ${maySecret('destroy', 'variables.secret')}`,
    messageExpression: `'deletionProtection may be turned off by those only who may delete, and ' + ${mayNot('destroy', 'variables.secret')}`,
  },
  mayBeOwned('variables.secret'),
];

const usage: readonly Variable[] = [
  {
    name: 'usedBy',
    expression:
      'oldObject != null && has(oldObject.status) && has(oldObject.status.usedBy) ? oldObject.status.usedBy : []',
  },
  {
    name: 'users',
    expression:
      'oldObject != null && has(oldObject.status) && has(oldObject.status.users) ? oldObject.status.users : variables.usedBy.size()',
  },
  {
    name: 'list',
    expression: `${firstOf('variables.usedBy', MOST_NAMED)}.map(user, user.reference + (user.consumers.size() == 0 ? '' : ' (' + ${firstOf('user.consumers', MOST_WORKLOADS)}.join(', ') + (user.consumers.size() > ${MOST_WORKLOADS} ? ', ...' : '') + ')')).join(', ')`,
  },
  {
    name: 'named',
    expression: `variables.usedBy.size() == 0 ? ' of other namespaces' : ': ' + (variables.list.size() > ${LONGEST_LIST} ? variables.list.substring(0, ${LONGEST_LIST}) + '...' : variables.list) + (variables.users > ${MOST_NAMED} || variables.users > variables.usedBy.size() ? ', and others' : '')`,
  },
];

function firstOf(list: string, most: number): string {
  return `(${list}.size() > ${most} ? ${list}.slice(0, ${most}) : ${list})`;
}

const deletion: readonly Validation[] = [
  {
    expression: `request.operation != 'DELETE' || ${byCollector} || variables.namespaceGoes || ${maySecret('destroy', 'variables.secret')}`,
    messageExpression: mayNot('destroy', 'variables.secret'),
  },
  // For everyone, also the garbage collector: it tries again until nobody uses the secret.
  {
    expression: `request.operation != 'DELETE' || variables.namespaceGoes || !oldObject.spec.deletionProtection || variables.users == 0`,
    messageExpression: `'secret ' + ${title} + ' is used by ' + string(variables.users) + (variables.users == 1 ? ' reference' : ' references') + variables.named + '. Remove them first, or: keyferry delete ' + ${argument} + ' --force -n ' + request.namespace`,
  },
];
