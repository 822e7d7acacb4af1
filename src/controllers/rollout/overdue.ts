import type { Consumer } from '../../api/v1/rollout.ts';
import { formatDuration } from '../../runtime/duration.ts';

/** Consumers whose rollout took longer than it may are failed; for the others, how long until they would be. */
export interface Judged {
  readonly consumers: readonly Consumer[];
  /** Milliseconds. */
  readonly nextDeadline: number | undefined;
}

/**
 * A Deployment has a deadline of its own; StatefulSets and DaemonSets have none, so theirs is counted from when they were marked.
 * @param now milliseconds since 1970
 * @param deadline milliseconds
 */
export function judgeOverdue(consumers: readonly Consumer[], now: number, deadline: number): Judged {
  const waits: number[] = [];
  const judged = consumers.map((consumer): Consumer => {
    if (consumer.state !== 'Progressing' || consumer.since === undefined) return consumer;
    const left = Date.parse(consumer.since) + deadline - now;
    if (left > 0) {
      waits.push(left);
      return consumer;
    }
    const { message: _, ...rest } = consumer;
    return { ...rest, state: 'Failed', message: `not complete after ${formatDuration(deadline)}` };
  });
  return { consumers: judged, nextDeadline: waits.length === 0 ? undefined : Math.min(...waits) };
}
