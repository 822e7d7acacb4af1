import type { ManagerRef } from '../../api/v1/secret-reference.ts';
import { type AwsManager, createAwsManager } from '../../managers/aws/manager.ts';
import { person, personalCredentials } from '../../managers/aws/person.ts';
import { namesOf } from '../../managers/registry.ts';
import type { SecretNames } from '../../managers/secret-names.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { CliContext, Cluster } from '../context.ts';
import type { ManagerView } from '../status/manager.ts';
import type { ReferenceView } from '../status/reference.ts';

/** The secrets of a manager in AWS, as whoever runs the command may see them. */
export interface AwsPlace {
  /** `ClusterSecretManager aws`. */
  readonly title: string;
  readonly aws: AwsManager;
  readonly names: SecretNames;
  /** How often references look. */
  readonly pollInterval: string;
  /** Whether this manager is what a reference means by `managerRef`. */
  isMeant(reference: ReferenceView, ref: ManagerRef): boolean;
  close(): void;
}

/**
 * Signs in with the credentials of whoever runs the command: the manager's own, its role and its Secret are not used. Region and prefix are the manager's;
 * so is the endpoint of a cluster manager, which nobody but its administrator sets. Makes no call by itself.
 */
export function openAws({ clock, io }: CliContext, cluster: Cluster, view: ManagerView): AwsPlace {
  const { kind, metadata, spec } = view;
  const { region } = spec.aws ?? {};
  const at = view.kind === 'ClusterSecretManager' ? view.spec.aws : undefined;
  if (at?.endpoint !== undefined) io.note(`Asking AWS at ${at.endpoint}, the endpoint of the manager.`);
  const aws = createAwsManager({
    region,
    endpoint: at?.endpoint,
    caBundle: at?.caBundle,
    credentials: personalCredentials(region),
    principal: person,
    clock,
    logger: silentLogger,
  });
  return {
    title: `${kind} ${metadata.name}`,
    aws,
    names: namesOf(spec, metadata.namespace),
    pollInterval: spec.pollInterval,
    isMeant: (reference, ref) => {
      if (ref.kind !== kind || ref.name !== metadata.name) return false;
      return kind === 'ClusterSecretManager' || reference.metadata.namespace === cluster.namespace;
    },
    close: () => aws.close(),
  };
}

/** Does something with a place, and lets its connections go. */
export async function inAws<T>(place: AwsPlace, work: (place: AwsPlace) => Promise<T>): Promise<T> {
  try {
    return await work(place);
  } finally {
    place.close();
  }
}
