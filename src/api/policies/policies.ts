import { authorAccessPolicy } from './author-access.ts';
import { listedWorkloadsPolicy } from './listed-workloads.ts';
import { crdsPolicy, orphansPolicy, statusPolicy } from './objects.ts';
import { operatorSecretsPolicy } from './operator-secrets.ts';
import type { Policy, PolicyOptions } from './policy.ts';
import { referencesInUsePolicy } from './references-in-use.ts';
import { referencesPolicy } from './references.ts';
import { secretRevealsPolicy } from './secret-reveals.ts';
import { secretVersionsPolicy } from './secret-versions.ts';
import { versionedSecretsPolicy } from './versioned-secrets.ts';
import { podsPolicy, workloadsPolicy } from './workloads.ts';

/** Every admission policy that belongs to the API. */
export function policies(options: PolicyOptions): readonly Policy[] {
  return [
    referencesPolicy(options),
    referencesInUsePolicy(),
    listedWorkloadsPolicy(),
    versionedSecretsPolicy(),
    secretVersionsPolicy(options),
    secretRevealsPolicy(),
    operatorSecretsPolicy(options),
    workloadsPolicy(options),
    podsPolicy(options),
    statusPolicy(options),
    crdsPolicy(),
    orphansPolicy(),
  ];
}

/** Policies that an installation may add. */
export function optionalPolicies(): readonly Policy[] {
  return [authorAccessPolicy()];
}
