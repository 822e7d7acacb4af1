import type { Consumer } from '../../api/v1/rollout.ts';
import { soonest } from '../soonest.ts';
import { formatDuration } from '../../runtime/duration.ts';

/** Consumers whose rollout took longer than it may are failed; for the others, how long until they would be. */
export interface Judged {
  readonly consumers: readonly Consumer[];
  /** Milliseconds. */
  readonly nextDeadline: number | undefined;
}

/**
 * Counted from when it was marked, or from when its pods last got on: a large one may take its time.
 * @param now milliseconds since 1970
 * @param deadline milliseconds
 * @param movedAt when this process last saw more pods of a workload done (milliseconds since 1970)
 */
export function judgeOverdue(
  consumers: readonly Consumer[],
  now: number,
  deadline: number,
  movedAt: (uid: string) => number | undefined = () => undefined,
): Judged {
  const waits: number[] = [];
  const judged = consumers.map((consumer): Consumer => {
    if (consumer.state !== 'Progressing' || consumer.since === undefined) return consumer;
    const since = Math.max(Date.parse(consumer.since), movedAt(consumer.uid) ?? 0);
    const left = since + deadline - now;
    if (left > 0) {
      waits.push(left);
      return consumer;
    }
    const { message: _, ...rest } = consumer;
    return { ...rest, state: 'Failed', message: `not complete after ${formatDuration(deadline)}` };
  });
  return { consumers: judged, nextDeadline: soonest(waits) };
}
