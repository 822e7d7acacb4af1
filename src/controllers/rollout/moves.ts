import type { Clock } from '../../runtime/clock.ts';
import type { Workloads } from './workload.ts';

/** When each workload last got on with its rollout. */
export interface Moves {
  /** Milliseconds since 1970; undefined where this process saw none. */
  readonly at: (uid: string) => number | undefined;
  readonly forget: (uid: string) => void;
}

/** A workload gets on when another number of its pods is done. */
export function watchMoves(workloads: Pick<Workloads, 'onChange'>, clock: Clock): Moves {
  const times = new Map<string, number>();
  workloads.onChange(({ object, previous }) => {
    const { metadata, progress } = object;
    if (progress.state !== 'Progressing') times.delete(metadata.uid);
    else if (doneOf(progress.detail) > doneOf(previous?.progress.detail)) times.set(metadata.uid, clock.now());
  });
  return {
    at: (uid) => times.get(uid),
    forget: (uid) => {
      times.delete(uid);
    },
  };
}

/** "2 of 3 pods" */
function doneOf(detail: string | undefined): number {
  return Number(/^(\d+) of /.exec(detail ?? '')?.[1] ?? 0);
}
