import type { ManagerError } from './errors.ts';
import type { AccessedVersion, FindQuery, SecretSummary, Selector, VersionSummary } from './manager.ts';

/** What a reference wants to be told about by a source. */
export type Topic =
  | { readonly kind: 'value'; readonly secret: string; readonly selector: Selector }
  | {
      readonly kind: 'find';
      readonly query: FindQuery;
      /** Names that the target holds now: each leaves only after a direct look. Not part of the topic's identity. */
      readonly known: readonly string[];
    }
  | { readonly kind: 'versions'; readonly secret: string };

export type TopicResult<T extends Topic> = T extends { kind: 'value' }
  ? AccessedVersion
  : T extends { kind: 'find' }
    ? readonly SecretSummary[]
    : readonly VersionSummary[];

/**
 * What a source knows about a topic, without waiting.
 * - `pending`: nothing yet; the subscriber is called when there is something.
 * - `known`: the last good answer; `trouble` when the manager could not be asked since.
 * - `failed`: a definite refusal (error.transient is false), or nothing was ever heard because the manager can't be asked.
 */
export type Reading<R> =
  | { readonly state: 'pending' }
  | { readonly state: 'known'; readonly result: R; readonly trouble: Trouble | undefined }
  | { readonly state: 'failed'; readonly error: ManagerError; readonly trouble: Trouble | undefined };

/** The manager can't be asked at present. */
export interface Trouble {
  readonly error: ManagerError;
  /** Wall-clock milliseconds of the first failed try. */
  readonly since: number;
  readonly tries: number;
  /** Three tries or ten minutes: time to say so in the condition `Stale`. */
  readonly stale: boolean;
}

/** Milliseconds at the slowest; undefined: the manager's own interval. */
export interface Subscription {
  readonly topic: Topic;
  readonly refreshInterval: number | undefined;
}

/** One subscription per remote secret, however many references use it. One source per manager object and credentials. */
export interface Source {
  /**
   * Says everything that `subscriber` wants now; what it wanted before and no longer does is dropped. Never waits. A subscriber is called
   * back (`onChange` of the source) when a reading of one of its topics changes: a first answer, another version, an error that comes, changes or goes,
   * trouble that becomes stale or ends.
   */
  subscribe(subscriber: string, wants: readonly Subscription[]): void;
  /** The present reading of a topic that somebody subscribed to; `pending` for any other. */
  read<T extends Topic>(topic: T): Reading<TopicResult<T>>;
  /**
   * Asks again now for everything that `subscriber` wants, once per `token`: the first call with a token starts it, later ones tell whether every topic
   * has been answered (or has failed) since. The subscriber is called back when it is done.
   */
  refresh(subscriber: string, token: string): 'pending' | 'done';
  /**
   * A watch or a push says that this secret may have changed: look at it now. `latest`: another version may be latest, or the secret may be new.
   * `everything`: also its tags, whether it is there, and what became of versions that are pinned.
   */
  look(secret: string, at?: 'latest' | 'everything'): void;
  /** Distinct remote secrets and subscribers, for the manager's status. */
  usage(): { readonly secrets: number; readonly subscribers: number };
  /** Forgets everything and stops asking. */
  close(): void;
}
