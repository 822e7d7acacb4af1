import { group } from '../v1/names.ts';
import { systemNamespaces } from '../v1/namespaces.ts';
import { celStrings } from '../v1/parts.ts';
import { clusterSecretManagers, secretManagers, secretReferences } from '../v1/resources.ts';
import { mayAccessNamed, namedSecretVariables } from './named-secrets.ts';
import {
  type AuditAnnotation,
  namespaceOf,
  type Policy,
  type PolicyOptions,
  type Validation,
  type Variable,
} from './policy.ts';

/** How many managers one reference may name. Each takes a validation of its own: CEL's budget allows two questions to the authorizer in one. */
const maxManagers = 5;

const indexes = Array.from({ length: maxManagers }, (_, index) => index);

export const specChanged = { name: 'spec-changed', expression: 'oldObject == null || object.spec != oldObject.spec' };

/** CEL: kind/name of the manager that an entry asks. */
const managerOf =
  "(has(entry.managerRef) ? entry.managerRef.kind + '/' + entry.managerRef.name : object.spec.managerRef.kind + '/' + object.spec.managerRef.name)";

/**
 * Whoever creates a reference, or changes what it asks for, must hold the verb `use` on every manager that it asks; or, where that gives the secrets of
 * the namespace itself, `access` on each secret that it names.
 */
export function referencesPolicy({ operator, embeddedManagers }: PolicyOptions): Policy {
  const refused = celStrings([...systemNamespaces, namespaceOf(operator)]);
  const embedded = celStrings(embeddedManagers.map((name) => `${clusterSecretManagers.kind}/${name}`));
  return {
    name: 'keyferry-references',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['CREATE', 'UPDATE'] }],
    conditions: [specChanged],
    variables: [
      ...namedSecretVariables(`${managerOf} in ${embedded}`),
      {
        name: 'from0',
        expression: `variables.entries.map(entry, ${managerOf}) + (has(object.spec.dataFrom) ? object.spec.dataFrom.map(entry, ${managerOf}) : [])`,
      },
      { name: 'embedded', expression: `variables.from0.filter(manager, manager in ${embedded})` },
      ...indexes.flatMap((index) => managerVariables(index, embedded)),
      {
        name: 'mayUseEmbedded',
        expression: indexes.map((index) => `(!variables.own${index} || variables.use${index})`).join(' && '),
      },
    ],
    validations: [
      {
        expression: `!(request.namespace in ${refused})`,
        messageExpression: `'no reference may stand in namespace ' + request.namespace + ': the Secrets there are keys to the cluster. Create it in the namespace of the application'`,
      },
      {
        expression: `variables.from${maxManagers}.size() == 0`,
        message: `a SecretReference may name at most ${maxManagers} different managers: split it into several`,
      },
      ...indexes.map(mayUse),
      ...mayAccessNamed(ofOwnNamespace),
    ],
    auditAnnotations: readsAnnotations('use'),
  };
}

/** For the API server's audit log: who has what read by a reference. */
export function readsAnnotations(verb: 'use' | 'access'): readonly AuditAnnotation[] {
  const secrets = 'variables.entries.map(entry, entry.secret)';
  return [
    { key: 'who', valueExpression: 'request.userInfo.username' },
    { key: 'verb', valueExpression: `'${verb}'` },
    { key: 'secret', valueExpression: `request.namespace + ': ' + ${secrets}.join(', ')` },
  ];
}

/**
 * Each list is the one before without its first manager by name: so the first ones are the distinct managers. By name, as the order in which
 * CEL walks a map changes from one evaluation to the next, and rule and message must speak of the same manager.
 */
function managerVariables(index: number, embedded: string): readonly Variable[] {
  const from = `variables.from${index}`;
  const first = `variables.first${index}`;
  const [plural, name] = [`variables.plural${index}`, `variables.name${index}`];
  return [
    { name: `first${index}`, expression: `${from}.size() == 0 ? '' : ${from}.min()` },
    { name: `from${index + 1}`, expression: `${from}.filter(manager, manager != ${first})` },
    { name: `kind${index}`, expression: `${first}.split('/')[0]` },
    { name: `name${index}`, expression: `${first}.split('/')[1]` },
    {
      name: `plural${index}`,
      expression: `variables.kind${index} == '${secretManagers.kind}' ? '${secretManagers.plural}' : '${clusterSecretManagers.plural}'`,
    },
    { name: `own${index}`, expression: `${first} in ${embedded}` },
    {
      name: `use${index}`,
      expression: `authorizer.group('${group}').resource(${plural}).namespace(request.namespace).name(${name}).check('use').allowed()`,
    },
  ];
}

function mayUse(index: number): Validation {
  const [kind, name, plural] = ['kind', 'name', 'plural'].map((part) => `variables.${part}${index}`);
  return {
    expression: `variables.from${index}.size() == 0 || variables.own${index} || variables.use${index}`,
    messageExpression: `${mayNotUse(`${kind} + ' ' + ${name}`)} + '. Ask for ${roleToUse(`' + ${plural} + '`, `' + ${name} + '`)}'`,
  };
}

/** CEL; `manager` is CEL for its kind and name. */
function mayNotUse(manager: string): string {
  return `request.userInfo.username + ' may not use ' + ${manager} + ' for references of namespace ' + request.namespace`;
}

function roleToUse(plural: string, name: string): string {
  return `a Role there with: apiGroups: [${group}], resources: [${plural}], resourceNames: [${name}], verbs: [use]`;
}

const ownManager = `variables.embedded.min().split('/')[1]`;

const ofOwnNamespace = {
  otherwise: 'variables.mayUseEmbedded',
  mayNot: `${mayNotUse(`'${clusterSecretManagers.kind} ' + ${ownManager}`)} + ', nor access '`,
  orAskFor: `', or for ${roleToUse(clusterSecretManagers.plural, `' + ${ownManager} + '`)}'`,
};
