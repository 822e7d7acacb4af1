import { z } from 'zod';
import { group } from '../../api/v1/names.ts';
import { versionedSecrets } from '../../api/v1/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { subjectAccessReviews } from '../../kube/resource.ts';

export interface AccessQuestion {
  readonly user: string;
  readonly groups: readonly string[];
  readonly verb: 'put' | 'access' | 'destroy';
  readonly namespace: string;
  /** Object name of the VersionedSecret. */
  readonly secret: string;
}

/** Asks the API server what somebody may do: the second look, should the policy that had the first be missing. */
export interface Authorizer {
  /** Rejects where the API server can't be asked. */
  mayDo(question: AccessQuestion, signal: AbortSignal): Promise<boolean>;
}

const statusSchema = z.looseObject({ allowed: z.boolean() });

export function createAuthorizer(client: KubeClient): Authorizer {
  return {
    mayDo: async ({ user, groups, verb, namespace, secret }, signal) => {
      const resourceAttributes = { group, resource: versionedSecrets.plural, verb, namespace, name: secret };
      const spec = { user, groups, resourceAttributes };
      return statusSchema.parse(await client.review(subjectAccessReviews, spec, { signal })).allowed;
    },
  };
}
