import { group } from '../v1/names.ts';
import { secretReferences } from '../v1/resources.ts';
import { mayAccessNamed, namedSecretVariables } from './named-secrets.ts';
import type { Policy } from './policy.ts';
import { readsAnnotations, specChanged } from './references.ts';

/** Not applied by an installation: whoever writes a reference must also hold `access` on every secret that it names, whatever the manager. */
export function authorAccessPolicy(): Policy {
  return {
    name: 'keyferry-author-access',
    rules: [{ apiGroups: [group], resources: [secretReferences.plural], operations: ['CREATE', 'UPDATE'] }],
    conditions: [specChanged],
    variables: namedSecretVariables('true'),
    validations: mayAccessNamed({
      otherwise: 'false',
      mayNot: `request.userInfo.username + ' may have references of namespace ' + request.namespace + ' read only what they may access themselves, and may not access '`,
      orAskFor: `''`,
    }),
    auditAnnotations: readsAnnotations('access'),
  };
}
