import type { ManagerErrorReason } from '../../managers/errors.ts';
import type { SourceCall } from '../../managers/source.ts';

/** Which managers can't be asked at present, learned from the calls that are made anyway. */
export interface Outages {
  note(key: string, call: Pick<SourceCall, 'result'>): void;
  /** Why the manager can't be asked; undefined where it answers. */
  reasonOf(key: string): ManagerErrorReason | undefined;
  forget(key: string): void;
}

/** So many calls in a row must fail: one throttled poll is no outage. */
const TRIES = 3;
const NO_ANSWER: ReadonlySet<string> = new Set(['Throttled', 'ManagerUnavailable'] satisfies ManagerErrorReason[]);

/** `onChange` is called with the manager's key when its outage begins or ends. */
export function createOutages(onChange: (key: string) => void): Outages {
  const failures = new Map<string, { readonly tries: number; readonly reason: ManagerErrorReason }>();
  const reasonOf = (key: string): ManagerErrorReason | undefined => {
    const failure = failures.get(key);
    return failure !== undefined && failure.tries >= TRIES ? failure.reason : undefined;
  };
  return {
    reasonOf,
    note(key, { result }) {
      const before = reasonOf(key);
      if (result === 'ok' || !NO_ANSWER.has(result)) failures.delete(key);
      else failures.set(key, { tries: (failures.get(key)?.tries ?? 0) + 1, reason: result });
      if (reasonOf(key) !== before) onChange(key);
    },
    forget: (key) => {
      failures.delete(key);
    },
  };
}
