import type { Clock, Random } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Limiter } from './limiter.ts';
import type { SecretManager } from './manager.ts';
import type { Backend } from './registry.ts';
import type { SourceCall } from './source.ts';
import { createSource } from './source.ts';
import type { Source } from './topic.ts';

/** A manager object in use: its manager with one set of credentials, and the source that asks it. */
export interface Session {
  readonly manager: SecretManager;
  readonly backend: Backend | undefined;
  readonly source: Source;
  /** What the session was made from: the spec and the credentials by their versions, never by a value. */
  readonly fingerprint: string;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
}

export interface SessionParts {
  readonly manager: SecretManager;
  readonly backend?: Backend | undefined;
  /** Milliseconds. */
  readonly pollInterval: number;
  /** How fast the manager may be asked, where that is not as fast as others. */
  readonly limiter?: Limiter;
}

export interface SessionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A reading of `subscriber` at the source of `managerKey` changed. */
  readonly onChange: (managerKey: string, subscriber: string) => void;
  readonly onCall?: (managerKey: string, call: SourceCall) => void;
}

/** The sessions of all manager objects, one each. Values are never shared between different credentials. */
export interface Sessions {
  /**
   * The session made from `fingerprint`. Where the manager object's session was made from another, it is closed first and a new one is built, which has
   * no subscribers yet. What `build` throws is thrown on, and then there is no session.
   */
  ensure(managerKey: string, fingerprint: string, build: () => SessionParts): Session;
  get(managerKey: string): Session | undefined;
  /** Closes a manager object's session, with everything it knows. */
  remove(managerKey: string): void;
  /** All sessions with their manager keys. */
  sessions(): IterableIterator<[string, Session]>;
  /** Closes every session. */
  close(): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const sessions = new Map<string, Session>();

  const remove = (managerKey: string): void => {
    const session = sessions.get(managerKey);
    sessions.delete(managerKey);
    session?.source.close();
    session?.manager.close();
  };

  return {
    ensure: (managerKey, fingerprint, build) => {
      const present = sessions.get(managerKey);
      if (present?.fingerprint === fingerprint) {
        return present;
      }
      remove(managerKey);
      const session = open(options, managerKey, fingerprint, build());
      sessions.set(managerKey, session);
      return session;
    },
    get: (managerKey) => sessions.get(managerKey),
    remove,
    sessions: () => sessions.entries(),
    close: () => {
      for (const managerKey of sessions.keys()) {
        remove(managerKey);
      }
    },
  };
}

function open(options: SessionsOptions, managerKey: string, fingerprint: string, parts: SessionParts): Session {
  const source = createSource({
    manager: parts.manager,
    pollInterval: parts.pollInterval,
    clock: options.clock,
    random: options.random,
    logger: options.logger.child({ manager: managerKey }),
    onChange: (subscriber) => options.onChange(managerKey, subscriber),
    onCall: (call) => options.onCall?.(managerKey, call),
    ...(parts.limiter !== undefined && { limiter: parts.limiter }),
  });
  const { manager, backend } = parts;
  return { manager, backend, source, fingerprint, openedAt: options.clock.monotonic() };
}
