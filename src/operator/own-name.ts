import { z } from 'zod';
import type { KubeClient } from '../kube/client.ts';
import { selfSubjectReviews } from '../kube/resource.ts';
import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLearned, type Learned } from './learned.ts';

/** Who the operator is to the API server: for the audit log, where it does something by itself. */
export interface OwnName extends Pick<Learned, 'run' | 'whenSynced'> {
  /** Known once synced. */
  readonly name: () => string;
}

const reviewSchema = z.looseObject({ userInfo: z.looseObject({ username: z.string() }) });

export function createOwnName(
  client: KubeClient,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): OwnName {
  const { value, ...loop } = createLearned(
    {
      ask: async (signal) =>
        reviewSchema.parse(await client.review(selfSubjectReviews, {}, { signal })).userInfo.username,
      otherwise: 'the operator',
      onTrouble: (error) => logger.warn('The name of the operator itself can not be asked for', describeError(error)),
    },
    clock,
  );
  return { name: value, ...loop };
}
