import type { KubeClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import { namespaces } from '../kube/resource.ts';
import { whenAborted } from '../runtime/abort.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';

/** Which cluster this is: the uid of its namespace kube-system. Part of the external id that the operator assumes roles with. */
export interface ClusterIdentity {
  /** Known once synced. */
  readonly uid: () => string;
  run(signal: AbortSignal): Promise<void>;
  whenSynced(signal: AbortSignal): Promise<void>;
}

const RETRY = 2_000;

export function createClusterIdentity(
  client: KubeClient,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ClusterIdentity {
  let uid = 'unknown';
  const known = Promise.withResolvers<void>();

  async function find(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        uid = (await client.get(namespaces, { namespace: '', name: 'kube-system' }, { signal })).metadata.uid;
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('The namespace kube-system can not be read', describeError(error));
        // Without the right to see it the cluster has no name of its own, which only assuming roles needs.
        if (isForbidden(error)) return;
        await sleep(clock, RETRY, signal);
      }
    }
  }

  return {
    uid: () => uid,
    run: async (signal) => {
      await find(signal);
      known.resolve();
      await whenAborted(signal);
    },
    whenSynced: async (signal) => {
      await Promise.race([known.promise, whenAborted(signal)]);
    },
  };
}
