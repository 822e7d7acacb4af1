import { group } from '../v1/names.ts';
import { systemNamespaces } from '../v1/namespaces.ts';
import { celStrings } from '../v1/parts.ts';
import { clusterSecretManagers, secretManagers, secretReferences } from '../v1/resources.ts';
import { namespaceOf, type Policy, type PolicyOptions, type Validation, type Variable } from './policy.ts';

/** How many managers one reference may name. Each takes a validation of its own: CEL's budget allows two questions to the authorizer in one. */
const maxManagers = 5;

const indexes = Array.from({ length: maxManagers }, (_, index) => index);

function managersOf(field: 'data' | 'dataFrom', entry: string): string {
  const own = `${entry}.managerRef`;
  const named = `has(${own}) ? ${own}.kind + '/' + ${own}.name : variables.general`;
  return `has(object.spec.${field}) ? object.spec.${field}.map(item, ${named}) : []`;
}

/** Whoever creates a reference, or changes what it asks for, must hold the verb `use` on every manager that it asks. */
export function referencesPolicy({ operator }: PolicyOptions): Policy {
  const refused = celStrings([...systemNamespaces, namespaceOf(operator)]);
  return {
    name: 'keyferry-references',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['CREATE', 'UPDATE'] }],
    conditions: [{ name: 'spec-changed', expression: 'oldObject == null || object.spec != oldObject.spec' }],
    variables: [
      { name: 'general', expression: "object.spec.managerRef.kind + '/' + object.spec.managerRef.name" },
      { name: 'data', expression: managersOf('data', 'object.spec.data[item]') },
      { name: 'dataFrom', expression: managersOf('dataFrom', 'item') },
      { name: 'from0', expression: 'variables.data + variables.dataFrom' },
      ...indexes.flatMap(managerVariables),
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
    ],
  };
}

/**
 * Each list is the one before without its first manager by name: so the first ones are the distinct managers. By name, as the order in which
 * CEL walks a map changes from one evaluation to the next, and rule and message must speak of the same manager.
 */
function managerVariables(index: number): readonly Variable[] {
  const from = `variables.from${index}`;
  const first = `variables.first${index}`;
  return [
    { name: `first${index}`, expression: `${from}.size() == 0 ? '' : ${from}.min()` },
    { name: `from${index + 1}`, expression: `${from}.filter(manager, manager != ${first})` },
    { name: `kind${index}`, expression: `${first}.split('/')[0]` },
    { name: `name${index}`, expression: `${first}.split('/')[1]` },
    {
      name: `plural${index}`,
      expression: `variables.kind${index} == '${secretManagers.kind}' ? '${secretManagers.plural}' : '${clusterSecretManagers.plural}'`,
    },
  ];
}

function mayUse(index: number): Validation {
  const [kind, name, plural] = ['kind', 'name', 'plural'].map((part) => `variables.${part}${index}`);
  return {
    expression: `variables.from${index}.size() == 0 || authorizer.group('${group}').resource(${plural}).namespace(request.namespace).name(${name}).check('use').allowed()`,
    messageExpression: `request.userInfo.username + ' may not use ' + ${kind} + ' ' + ${name} + ' for references of namespace ' + request.namespace + '. Ask for a Role there with: apiGroups: [${group}], resources: [' + ${plural} + '], resourceNames: [' + ${name} + '], verbs: [use]'`,
  };
}
