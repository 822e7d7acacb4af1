import { annotations, labels, sealingKeysSecret } from '../v1/names.ts';
import { systemNamespaces } from '../v1/namespaces.ts';
import { celString, celStrings } from '../v1/parts.ts';
import { reservedSecretNameForm, secretTypes } from '../v1/secret-reference.ts';
import { reservedKeyForm } from '../v1/template-metadata.ts';
import { auditsObject } from './expressions.ts';
import { namespaceOf, type Policy, type PolicyOptions, type Validation, type Variable } from './policy.ts';

/** Secrets of these types make someone who they are, or are a tool's own memory. */
const refusedTypes = ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1'];

/** Annotations of ours that the operator writes. `adopt` and `merge` are not among them: they are other people's consent. */
const writtenAnnotations = [
  annotations.reference,
  annotations.referenceUid,
  annotations.versions,
  annotations.content,
  annotations.previous,
];

/** Of a merged Secret, each reference that has keys in it has a pair of its own. */
const writtenPairs = [annotations.mergedContent, annotations.mergedPrevious];

const target = celString(labels.target);
const uid = celString(annotations.referenceUid);

function mapOf(object: 'object' | 'oldObject', field: 'labels' | 'annotations'): string {
  return `${object} != null && has(${object}.metadata.${field}) ? ${object}.metadata.${field} : {}`;
}

function valueOf(map: string, key: string): string {
  return `(${key} in variables.${map} ? variables.${map}[${key}] : '')`;
}

/** Pins what the operator may do with Secrets, whatever its roles allow: a mistake or a break-in there stays within this. */
export function operatorSecretsPolicy({ operator }: PolicyOptions): Policy {
  return {
    name: 'keyferry-operator-secrets',
    rules: [{ apiGroups: [''], resources: ['secrets'], operations: ['CREATE', 'UPDATE', 'DELETE'] }],
    conditions: [{ name: 'operator', expression: `request.userInfo.username == ${celString(operator)}` }],
    variables: [
      { name: 'name', expression: 'object != null ? object.metadata.name : oldObject.metadata.name' },
      { name: 'labels', expression: mapOf('object', 'labels') },
      { name: 'oldLabels', expression: mapOf('oldObject', 'labels') },
      { name: 'annotations', expression: mapOf('object', 'annotations') },
      { name: 'oldAnnotations', expression: mapOf('oldObject', 'annotations') },
      { name: 'now', expression: valueOf('labels', target) },
      { name: 'was', expression: valueOf('oldLabels', target) },
      { name: 'firstKey', expression: firstSealingKey(namespaceOf(operator)) },
      { name: 'sealingKeys', expression: `variables.firstKey || (${wrappedKeys(namespaceOf(operator))})` },
      reservedKeys('Labels', `key == ${target}`),
      reservedKeys(
        'Annotations',
        `(variables.firstKey && key == ${celString(annotations.currentKey)}) || key in ${celStrings(writtenAnnotations)} || key.startsWith(${celString(annotations.merged)}) || (variables.now == 'merged' && (${writtenPairs.map((prefix) => `key.startsWith(${celString(prefix)})`).join(' || ')}))`,
      ),
    ],
    validations: [
      ...places([...systemNamespaces, namespaceOf(operator)]),
      ...ownership,
      ...types,
      noReservedKeys('Labels'),
      noReservedKeys('Annotations'),
    ],
    auditAnnotations: auditsObject,
  };
}

/** The one Secret that it may make in its own namespace, once: to change or delete it is for people, who have the backup. */
function firstSealingKey(namespace: string): string {
  const parts = [
    `request.operation == 'CREATE'`,
    `request.namespace == ${celString(namespace)}`,
    `variables.name == ${celString(sealingKeysSecret)}`,
    `object.type == 'Opaque'`,
    `variables.now == ''`,
  ];
  return parts.join(' && ');
}

/** The one change that it may make of it: to put wrapped keys beside those that are kept as they are, and then to take these away. No key is ever lost by it. */
function wrappedKeys(namespace: string): string {
  const parts = [
    `request.operation == 'UPDATE'`,
    `request.namespace == ${celString(namespace)}`,
    `variables.name == ${celString(sealingKeysSecret)}`,
    `variables.now == ''`,
    `variables.was == ''`,
    'has(object.data)',
    'has(oldObject.data)',
    `object.data.all(key, key in oldObject.data ? object.data[key] == oldObject.data[key] : key.endsWith('.agekey.kms'))`,
    `oldObject.data.all(key, key in object.data || (key.endsWith('.agekey') && (key + '.kms') in oldObject.data))`,
  ];
  return parts.join(' && ');
}

function places(refusedNamespaces: readonly string[]): readonly Validation[] {
  return [
    {
      expression: `variables.sealingKeys || !(request.namespace in ${celStrings(refusedNamespaces)})`,
      messageExpression: `'the operator may not touch Secrets of namespace ' + request.namespace`,
    },
    {
      expression: `!variables.name.matches(${celString(reservedSecretNameForm)})`,
      messageExpression: `'the operator may not touch Secret ' + variables.name + ': such names are for Helm and for the cluster itself'`,
    },
  ];
}

const ownership: readonly Validation[] = [
  {
    expression: `request.operation != 'DELETE' || variables.was == 'owned' || ${valueOf('oldAnnotations', uid)} != ''`,
    messageExpression: `'the operator may delete only what it owns: Secret ' + variables.name + ' does not carry the label ${labels.target}: owned'`,
  },
  {
    expression: `request.operation == 'DELETE' || variables.sealingKeys || variables.now in ['owned', 'merged'] || (variables.now == '' && variables.was != '')`,
    messageExpression: `'the operator may write only Secrets that carry the label ${labels.target} (owned or merged): ' + variables.name + ' does not'`,
  },
  {
    expression: `request.operation != 'UPDATE' || variables.now != 'owned' || ((variables.was == 'owned' || ${valueOf('oldAnnotations', uid)} != '') && ${valueOf('annotations', uid)} == ${valueOf('oldAnnotations', uid)}) || ${valueOf('oldAnnotations', celString(annotations.adopt))} == 'true'`,
    messageExpression: `'the operator may not take over Secret ' + variables.name + ', which is not its own: its owner may allow it by kubectl annotate secret ' + variables.name + ' ${annotations.adopt}=true'`,
  },
  {
    expression: `variables.now != 'merged' || variables.was == 'merged' || ${valueOf('oldAnnotations', celString(annotations.merge))} == 'true'`,
    messageExpression: `'the operator may not merge keys into Secret ' + variables.name + ': its owner may allow it by kubectl annotate secret ' + variables.name + ' ${annotations.merge}=true'`,
  },
];

const types: readonly Validation[] = [
  {
    expression: `variables.now != 'owned' || object.type in ${celStrings(secretTypes)}`,
    messageExpression: `'the operator may own no Secret of type ' + object.type + ', only: ${secretTypes.join(', ')}'`,
  },
  {
    expression: `object == null || !(object.type in ${celStrings(refusedTypes)})`,
    messageExpression: `'the operator may not write Secrets of type ' + object.type`,
  },
];

/** What others set stays as it is; of the reserved keys the operator sets only its own. */
function reservedKeys(field: 'Labels' | 'Annotations', own: string): Variable {
  const now = `variables.${field.toLowerCase()}`;
  const kept = `key in variables.old${field} && variables.old${field}[key] == ${now}[key]`;
  return {
    name: `reserved${field}`,
    expression: `${now}.filter(key, key.matches(${celString(reservedKeyForm)}) && !(${own}) && !(${kept}))`,
  };
}

function noReservedKeys(field: 'Labels' | 'Annotations'): Validation {
  return {
    expression: `variables.reserved${field}.size() == 0`,
    messageExpression: `'the operator may not set reserved ${field.toLowerCase()}: ' + variables.reserved${field}.join(', ')`,
  };
}
