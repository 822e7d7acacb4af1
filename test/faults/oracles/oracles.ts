import type { History, Oracle, Violation } from '../history.ts';
import { monotone, noInvention } from './content.ts';
import { doubtDestroysNothing } from './doubt.ts';
import { nothingIsLost } from './embedded.ts';
import { noLeak } from './leak.ts';
import { liveness } from './liveness.ts';
import { ownership } from './ownership.ts';
import { onceForEachChange, secretBeforeMarker } from './rollout.ts';
import { truthfulStatus } from './status.ts';
import { tenancy } from './tenancy.ts';

const oracles: readonly Oracle[] = [
  noInvention,
  doubtDestroysNothing,
  monotone,
  onceForEachChange,
  secretBeforeMarker,
  ownership,
  tenancy,
  noLeak,
  truthfulStatus,
  nothingIsLost,
  liveness,
];

/** What a run did that must not be. The same thing is told once. */
export function judge(history: History): readonly Violation[] {
  const all = oracles.flatMap((oracle) => oracle(history));
  return [...new Map(all.map((violation) => [`${violation.law} ${violation.what}`, violation])).values()];
}
