import type { Consumer } from '../../api/v1/rollout.ts';
import { suspensionOf } from '../../api/v1/suspension.ts';
import { isDue } from '../rollout/ledger.ts';
import type { ConsumedTarget } from '../rollout/consumers.ts';
import { marksOurs } from '../rollout/marker.ts';
import type { Workload } from '../rollout/workload.ts';
import type { Reference } from '../secret-reference/reference.ts';
import { consumedTarget } from '../secret-reference/rollout-findings.ts';

/** A target whose content a workload's pods do not run yet. */
export interface DueTarget {
  readonly reference: Reference;
  readonly target: ConsumedTarget;
  readonly consumer: Consumer;
  /** The content that its marker is to name. */
  readonly content: string;
}

/** What a workload is to be rolled out for, by the ledgers of the references that it consumes. Pure. */
export function dueTargets(references: readonly Reference[], workload: Workload, now: number): readonly DueTarget[] {
  return references.flatMap((reference) => dueTarget(reference, workload, now) ?? []);
}

/** Undefined where nothing is due. `now` is in milliseconds since the epoch. */
export function dueTarget(reference: Reference, workload: Workload, now: number): DueTarget | undefined {
  const { status, metadata } = reference;
  const content = status.target?.content;
  const consumer = status.consumers?.find(({ uid }) => uid === workload.metadata.uid);
  if (content === undefined || consumer === undefined || !isDue(consumer, content)) return undefined;
  if (suspensionOf(reference, now) !== undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const target = consumedTarget(reference);
  // Rolled out already: the ledger has not heard of it yet.
  if (marksOurs(workload.markers.get(target.marker), content)) return undefined;
  return { reference, target, consumer, content };
}
