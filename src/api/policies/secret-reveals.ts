import { group } from '../v1/names.ts';
import { secretReveals } from '../v1/resources.ts';
import { auditsSecret, inOwnName, mayNot, maySecret } from './expressions.ts';
import { deniedAndAudited, type Policy } from './policy.ts';

/** Who may have a value revealed. That a reveal never changes is for the schema. */
export function secretRevealsPolicy(): Policy {
  return {
    name: 'keyferry-secret-reveals',
    rules: [{ apiGroups: [group], resources: [secretReveals.plural], operations: ['CREATE'] }],
    validations: [
      ...inOwnName('requestedBy', 'false'),
      {
        expression: maySecret('access', 'object.spec.secret'),
        messageExpression: mayNot('access', 'object.spec.secret'),
      },
    ],
    auditAnnotations: auditsSecret("'access'", 'object.spec.secret'),
    actions: deniedAndAudited,
  };
}
