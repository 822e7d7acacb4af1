import { group } from '../v1/names.ts';
import { secretReferences } from '../v1/resources.ts';
import { auditsObject, namespaceGoes } from './expressions.ts';
import type { Policy } from './policy.ts';

const MOST_NAMED = 5;
const consumers = 'oldObject.status.consumers';

/** Says what a deletion takes from the workloads that run. It is not refused: they keep what they have, until they start again. */
export function referencesInUsePolicy(): Policy {
  return {
    name: 'keyferry-references-in-use',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['DELETE'] }],
    variables: [
      {
        name: 'consumers',
        expression: `has(oldObject.status) && has(${consumers}) ? ${consumers}.map(workload, workload.kind + '/' + workload.name) : []`,
      },
      {
        name: 'named',
        expression: `variables.consumers.size() > ${MOST_NAMED} ? variables.consumers.slice(0, ${MOST_NAMED}).join(', ') + ', ...' : variables.consumers.join(', ')`,
      },
      {
        name: 'secret',
        expression: 'has(oldObject.spec.target.name) ? oldObject.spec.target.name : oldObject.metadata.name',
      },
      {
        name: 'end',
        expression: `oldObject.spec.target.ownership == 'Orphan' ? 'stays, and is not kept equal any more' : oldObject.spec.target.ownership == 'Merge' ? 'loses its keys, and pods that need them do not start again' : 'goes with it, and pods that need it do not start again'`,
      },
      namespaceGoes,
    ],
    validations: [
      {
        expression: 'variables.consumers.size() == 0 || variables.namespaceGoes',
        messageExpression: `'SecretReference ' + oldObject.metadata.name + ' is used by ' + variables.named + ': Secret ' + variables.secret + ' ' + variables.end`,
      },
    ],
    auditAnnotations: auditsObject,
    actions: ['Warn'],
  };
}
