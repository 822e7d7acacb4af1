import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ManagerErrorReason } from '../errors.ts';
import { ManagerError } from '../errors.ts';
import type { AccessResult, FindQuery, SecretManager, SecretSummary, Selection, VersionSummary } from '../manager.ts';

/** A call to the backend's manager, for metrics. */
export interface SourceCall {
  readonly kind: 'access' | 'list' | 'describe' | 'versions';
  readonly result: 'ok' | ManagerErrorReason;
  readonly seconds: number;
}

export interface CallsOptions {
  readonly manager: SecretManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onCall: (call: SourceCall) => void;
}

const DEADLINE = 30_000;

/** A manager whose calls always end: within a deadline, on `close`, and with a `ManagerError` where they fail. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #closing = new AbortController();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Aborts when the source closes. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  async access(selections: readonly Selection[]): Promise<readonly AccessResult[]> {
    return this.#ask('access', async (manager, signal) => {
      const results = await manager.access(selections, signal);
      if (results.length !== selections.length) {
        throw new ManagerError('ManagerUnavailable', 'the secret manager gave an incomplete answer');
      }
      return results;
    });
  }

  async list(query: FindQuery): Promise<readonly SecretSummary[]> {
    return this.#ask('list', (manager, signal) => manager.list(query, signal));
  }

  async describe(secret: string): Promise<SecretSummary> {
    return this.#ask('describe', (manager, signal) => manager.describe(secret, signal));
  }

  async versions(secret: string): Promise<readonly VersionSummary[]> {
    return this.#ask('versions', (manager, signal) => manager.versions(secret, signal));
  }

  /** The error as it may be shown; what is not a `ManagerError` counts as a manager that could not be asked. */
  known(error: unknown): ManagerError {
    if (error instanceof ManagerError) {
      return error;
    }
    // Whatever else was thrown may quote a value: only its class is named.
    const type = error instanceof Error ? error.name : typeof error;
    this.#options.logger.error('a secret manager failed with something other than a ManagerError', { type });
    return new ManagerError('ManagerUnavailable', 'the secret manager could not be asked');
  }

  close(): void {
    this.#closing.abort();
  }

  async #ask<T>(
    kind: SourceCall['kind'],
    send: (manager: SecretManager, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { manager, clock, onCall } = this.#options;
    const started = clock.monotonic();
    const abort = new AbortController();
    const end = Promise.withResolvers<never>();
    // A manager that hangs may not heed its signal either, so the wait is ended here as well.
    const stop = (message: string): void => {
      end.reject(new ManagerError('ManagerUnavailable', message));
      abort.abort();
    };
    const onClose = (): void => stop('the secret manager is no longer asked');
    const timer = clock.after(DEADLINE, () => stop(`the secret manager did not answer within ${DEADLINE / 1_000}s`));
    this.#closing.signal.addEventListener('abort', onClose, { once: true });
    const report = (result: SourceCall['result']): void => {
      // That nobody waits any more says nothing about the manager.
      if (!this.#closing.signal.aborted) onCall({ kind, result, seconds: (clock.monotonic() - started) / 1_000 });
    };
    try {
      const answer = await Promise.race([send(manager, abort.signal), end.promise]);
      report('ok');
      return answer;
    } catch (error) {
      const known = this.known(error);
      report(known.reason);
      throw known;
    } finally {
      timer.cancel();
      this.#closing.signal.removeEventListener('abort', onClose);
    }
  }
}
