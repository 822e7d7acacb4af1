import { group } from '../v1/names.ts';
import { celString } from '../v1/parts.ts';
import { secretReferences } from '../v1/resources.ts';
import { maxListedWorkloads } from '../v1/rollout.ts';
import { rolledResources } from '../v1/workload-resources.ts';
import type { Policy, Validation, Variable } from './policy.ts';

const indexes = Array.from({ length: maxListedWorkloads }, (_, index) => index);

/** Whoever lists a workload has its pods replaced: so they must hold the verb `patch` on it. Workloads that use the Secret need no list. */
export function listedWorkloadsPolicy(): Policy {
  return {
    name: 'keyferry-listed-workloads',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['CREATE', 'UPDATE'] }],
    conditions: [
      { name: 'spec-changed', expression: 'oldObject == null || object.spec != oldObject.spec' },
      { name: 'lists', expression: 'has(object.spec.rollout) && has(object.spec.rollout.workloads)' },
    ],
    variables: [
      { name: 'listed', expression: 'object.spec.rollout.workloads' },
      { name: 'groups', expression: celMap('group') },
      { name: 'plurals', expression: celMap('plural') },
      ...indexes.flatMap(workloadVariables),
    ],
    validations: [
      // The schema sees to it; but what were not asked about may not pass.
      {
        expression: `variables.listed.size() <= ${maxListedWorkloads}`,
        message: `rollout.workloads may list at most ${maxListedWorkloads} workloads`,
      },
      ...indexes.map(mayPatch),
    ],
    auditAnnotations: [
      { key: 'who', valueExpression: 'request.userInfo.username' },
      { key: 'verb', valueExpression: "'patch'" },
      {
        key: 'workloads',
        valueExpression:
          "request.namespace + ': ' + variables.listed.map(workload, workload.kind + '/' + workload.name).join(', ')",
      },
    ],
  };
}

/** By kind of the workload. */
function celMap(field: 'group' | 'plural'): string {
  const entries = Object.entries(rolledResources);
  return `{${entries.map(([kind, resource]) => `${celString(kind)}: ${celString(resource[field])}`).join(', ')}}`;
}

function workloadVariables(index: number): readonly Variable[] {
  const workload = `variables.listed[${index}]`;
  return [
    { name: `group${index}`, expression: `variables.groups[${workload}.kind]` },
    { name: `plural${index}`, expression: `variables.plurals[${workload}.kind]` },
    { name: `name${index}`, expression: `${workload}.name` },
  ];
}

/** One validation for each: CEL's budget allows two questions to the authorizer in one. */
function mayPatch(index: number): Validation {
  const [apiGroup, plural, name] = ['group', 'plural', 'name'].map((part) => `variables.${part}${index}`);
  return {
    expression: `variables.listed.size() <= ${index} || authorizer.group(${apiGroup}).resource(${plural}).namespace(request.namespace).name(${name}).check('patch').allowed()`,
    messageExpression: `request.userInfo.username + ' may not patch ' + variables.listed[${index}].kind + ' ' + ${name} + ' of namespace ' + request.namespace + ', and so may not list it in rollout.workloads, which has its pods replaced. Ask for a Role there with: apiGroups: [' + ${apiGroup} + '], resources: [' + ${plural} + '], resourceNames: [' + ${name} + '], verbs: [patch]'`,
  };
}
