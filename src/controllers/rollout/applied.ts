/** What this process itself marked last: a marker that others took away at once was written all the same, and is not written again. */
export interface Applied {
  /** The content that a marker of a workload was last made to name; undefined where this process never did. */
  content(uid: string, marker: string): string | undefined;
  /** Milliseconds since 1970 of the last rollout of a workload. */
  lastAt(uid: string): number | undefined;
  note(uid: string, contents: ReadonlyMap<string, string>, now: number): void;
  forget(uid: string): void;
}

export function createApplied(): Applied {
  const contents = new Map<string, Map<string, string>>();
  const times = new Map<string, number>();
  return {
    content: (uid, marker) => contents.get(uid)?.get(marker),
    lastAt: (uid) => times.get(uid),
    note(uid, marked, now) {
      contents.set(uid, new Map([...(contents.get(uid) ?? []), ...marked]));
      times.set(uid, now);
    },
    forget(uid) {
      contents.delete(uid);
      times.delete(uid);
    },
  };
}
