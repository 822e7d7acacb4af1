import type { KubeClient } from '../kube/client.ts';
import { namespaces } from '../kube/resource.ts';
import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLearned, type Learned } from './learned.ts';

/** Which cluster this is: the uid of its namespace kube-system. Part of the external id that the operator assumes roles with. */
export interface ClusterIdentity extends Pick<Learned, 'run' | 'whenSynced'> {
  /** Known once synced. */
  readonly uid: () => string;
}

export function createClusterIdentity(
  client: KubeClient,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ClusterIdentity {
  const { value, ...loop } = createLearned(
    {
      ask: async (signal) => {
        const { metadata } = await client.get(namespaces, { namespace: '', name: 'kube-system' }, { signal });
        return metadata.uid;
      },
      // Without the right to see it the cluster has no name of its own, which only assuming roles needs.
      otherwise: 'unknown',
      onTrouble: (error) => logger.warn('The namespace kube-system can not be read', describeError(error)),
    },
    clock,
  );
  return { uid: value, ...loop };
}
