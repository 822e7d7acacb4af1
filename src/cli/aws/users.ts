import type { SecretUser } from '../../api/v1/versioned-secret.ts';
import type { CliContext } from '../context.ts';
import { wantsOf } from '../explain/wants.ts';
import { managerOf } from '../rotate/progress.ts';
import { listReferences } from '../status/observe.ts';
import { type ReferenceView, referenceLabel } from '../status/reference.ts';
import type { AwsPlace } from './place.ts';

/** Which references use which secret of a manager, by its full name. */
export interface AwsUsers {
  of(secret: string): readonly AwsUser[];
  /** What may not be seen. */
  readonly hidden: string | undefined;
}

/** As a secret in the cluster has them, with ids of AWS. */
export type AwsUser = Omit<SecretUser, 'versions'> & { readonly versions: readonly string[] };

/** Of all namespaces where they may be listed, else of the chosen one. */
export async function awsUsers(context: CliContext, place: AwsPlace): Promise<AwsUsers> {
  const { client, namespace } = await context.cluster();
  const all = await listReferences(client, undefined, context.signal);
  const read = 'value' in all ? all : await listReferences(client, namespace, context.signal);
  const references = 'value' in read ? read.value : [];
  return {
    of: (secret) => references.flatMap((reference) => userOf(reference, place, secret) ?? []),
    hidden: 'hidden' in all ? all.hidden : undefined,
  };
}

function userOf(reference: ReferenceView, place: AwsPlace, secret: string): AwsUser | undefined {
  const { spec, status, metadata } = reference;
  const isIt = (name: string): boolean => place.names.full(name, metadata.namespace) === secret;
  const wants = wantsOf(spec).filter(
    (want) => want.secret !== undefined && isIt(want.secret) && place.isMeant(reference, want.manager),
  );
  const held = (status.versions ?? []).filter(
    (one) => isIt(one.secret) && place.isMeant(reference, managerOf(one.manager)),
  );
  if (wants.length === 0 && held.length === 0) return undefined;
  return {
    reference: referenceLabel(reference),
    versions: [...new Set(held.map(({ version }) => version))],
    pinned: wants.some(({ version, stage }) => version !== undefined || (stage ?? 'AWSCURRENT') !== 'AWSCURRENT'),
    consumers: (status.consumers ?? []).map(({ kind, name }) => `${kind}/${name}`),
  };
}
