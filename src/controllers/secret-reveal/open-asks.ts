import type { Change } from '../../kube/store.ts';
import type { Reveal } from './reveal.ts';

/** How many reveals of each asker wait for an answer. */
export interface OpenAsks {
  /** To be told of every change. */
  changed(change: Change<Reveal>): void;
  /** Whether who asks for this one waits for so many that others' come first. */
  isCrowd(reveal: Reveal): boolean;
}

/** A person, or a program that is in its right mind, waits for no more at once. */
const MOST_AT_ONCE = 10;

export function createOpenAsks(): OpenAsks {
  const counts = new Map<string, number>();
  const add = ({ spec, settled }: Reveal, by: 1 | -1): void => {
    if (spec === undefined || settled) return;
    const count = (counts.get(spec.requestedBy) ?? 0) + by;
    if (count > 0) counts.set(spec.requestedBy, count);
    else counts.delete(spec.requestedBy);
  };
  return {
    changed: ({ type, object, previous }) => {
      if (type === 'deleted') {
        add(object, -1);
        return;
      }
      if (previous !== undefined) add(previous, -1);
      add(object, 1);
    },
    isCrowd: ({ spec }) => spec !== undefined && (counts.get(spec.requestedBy) ?? 0) > MOST_AT_ONCE,
  };
}
