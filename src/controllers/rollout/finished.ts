import type { Consumer, ConsumerKind } from '../../api/v1/rollout.ts';

/** A rollout that came to an end between two states of a ledger. */
export interface FinishedRollout {
  readonly kind: ConsumerKind;
  readonly result: 'complete' | 'failed' | 'reverted';
}

/** Which rollouts of ours ended: each is told once. `reverted` says that what failed is answered by going back. */
export function finishedRollouts(
  before: readonly Consumer[],
  after: readonly Consumer[],
  reverted: boolean,
): readonly FinishedRollout[] {
  const known = new Map(before.map((consumer) => [consumer.uid, consumer]));
  return after.flatMap((consumer) => {
    const { kind, uid, content, since } = consumer;
    const result = resultOf(consumer);
    const old = known.get(uid);
    // Without a time of its own it runs the content from its start.
    if (since === undefined || result === undefined) return [];
    if (old !== undefined && old.content === content && old.since === since && resultOf(old) === result) return [];
    return [{ kind, result: result === 'failed' && reverted ? ('reverted' as const) : result }];
  });
}

function resultOf({ state }: Consumer): 'complete' | 'failed' | undefined {
  if (state === 'Complete') return 'complete';
  return state === 'Failed' || state === 'Stuck' ? 'failed' : undefined;
}
