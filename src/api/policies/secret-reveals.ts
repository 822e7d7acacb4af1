import { group } from '../v1/names.ts';
import { secretReveals } from '../v1/resources.ts';
import { auditsSecret, inOwnName, mayNot, maySecret, newFinalizers } from './expressions.ts';
import type { Policy } from './policy.ts';

/** Who may have a value revealed, and that it goes after its minute. That a reveal never changes is for the schema. */
export function secretRevealsPolicy(): Policy {
  return {
    name: 'keyferry-secret-reveals',
    rules: [{ apiGroups: [group], resources: [secretReveals.plural], operations: ['CREATE', 'UPDATE'] }],
    variables: [newFinalizers],
    validations: [
      ...inOwnName('requestedBy', 'false'),
      {
        expression: `request.operation != 'CREATE' || ${maySecret('access', 'object.spec.secret')}`,
        messageExpression: mayNot('access', 'object.spec.secret'),
      },
      {
        expression: 'variables.newFinalizers.size() == 0',
        message: 'a reveal goes after a minute, and a finalizer would keep it: leave out metadata.finalizers',
      },
    ],
    auditAnnotations: auditsSecret("'access'", 'object.spec.secret'),
  };
}
