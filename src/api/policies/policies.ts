import { crdsPolicy, orphansPolicy, statusPolicy } from './objects.ts';
import { operatorSecretsPolicy } from './operator-secrets.ts';
import type { Policy, PolicyOptions } from './policy.ts';
import { referencesPolicy } from './references.ts';

/** Every admission policy that belongs to the API. */
export function policies(options: PolicyOptions): readonly Policy[] {
  return [
    referencesPolicy(options),
    operatorSecretsPolicy(options),
    statusPolicy(options),
    crdsPolicy(),
    orphansPolicy(),
  ];
}
