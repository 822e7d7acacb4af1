import { crdsPolicy, orphansPolicy, statusPolicy } from './objects.ts';
import { listedWorkloadsPolicy } from './listed-workloads.ts';
import { operatorSecretsPolicy } from './operator-secrets.ts';
import type { Policy, PolicyOptions } from './policy.ts';
import { referencesPolicy } from './references.ts';
import { podsPolicy, workloadsPolicy } from './workloads.ts';

/** Every admission policy that belongs to the API. */
export function policies(options: PolicyOptions): readonly Policy[] {
  return [
    referencesPolicy(options),
    listedWorkloadsPolicy(),
    operatorSecretsPolicy(options),
    workloadsPolicy(options),
    podsPolicy(options),
    statusPolicy(options),
    crdsPolicy(),
    orphansPolicy(),
  ];
}
