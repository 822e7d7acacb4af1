import { backoff } from '../runtime/backoff.ts';
import { type Clock, type Random, sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { isForbidden, isGone, isNotFound, KubeError } from './errors.ts';
import { createListWatch, type ListWatch, type Selection } from './list-watch.ts';
import type { KubeObject, RawObject } from './object.ts';
import { subjectOf } from './path.ts';
import { isOlderVersion } from './resource-version.ts';
import { guardSilence, IdleWatchError } from './silence.ts';
import { errorFromStatus } from './status.ts';
import type { Store, StoreWriter } from './store.ts';
import type { Transport } from './transport.ts';
import { BrokenWatchError, type WatchEvent, watchEvents } from './watch.ts';

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly transport: Transport;
  readonly store: Store<T>;
  /** Makes what is kept out of what came: the smaller, the less memory. One that throws leaves its object as it was. */
  readonly transform: (raw: RawObject) => T;
  /** Whether an object is of interest: others are not stored, and one that stops being is removed. Default: all are. Must not throw. */
  readonly keep?: (raw: RawObject) => boolean;
  /**
   * The resource may be unknown to the API server, or forbidden to us: then nothing is there, which is said once, counts as synced and is looked at
   * again after `timings.absence`.
   */
  readonly mayBeAbsent?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Objects a page of a list. Default 500. */
  readonly pageSize?: number;
  readonly timings?: Partial<ReflectorTimings>;
}

export interface ReflectorTimings {
  /** The server ends a watch after a random number of seconds from `leastWatch` to `mostWatch`. Default 300 to 600. */
  readonly leastWatch: number;
  readonly mostWatch: number;
  /** Milliseconds of silence after which a watch counts as dead. Bookmarks come every minute. Default 180,000. */
  readonly silence: number;
  /** Milliseconds. Default 1,000 and 30,000. */
  readonly backoffBase: number;
  readonly backoffCap: number;
  /** Milliseconds, up to a fifth more by chance. Default 45,000. */
  readonly absence: number;
}

/** Keeps a store equal to what the API server has. */
export interface Reflector {
  /** Lists and watches until `signal` aborts, whatever happens. Never rejects. To be called once. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether the first list is in the store. */
  readonly synced: boolean;
  /** True once synced; false if `signal` aborts before. */
  whenSynced(signal: AbortSignal): Promise<boolean>;
  /**
   * Monotonic milliseconds of the loop's last step: bytes that arrived, or a try that was given up. A server that is down does not
   * stop it. Without a stall it is never older than `timings.silence` plus the longest pause.
   */
  readonly lastActivity: number;
}

const defaultTimings: ReflectorTimings = {
  leastWatch: 300,
  mostWatch: 600,
  silence: 180_000,
  backoffBase: 1_000,
  backoffCap: 30_000,
  absence: 45_000,
};
/** A server that asks for more patience than this is asked again after it. */
const longestRetryAfter = 60_000;
/** Milliseconds. A watch that ends sooner, and brought nothing, counts as failed: otherwise it would be opened in a busy loop. */
const shortestWatch = 1_000;
/** So often a list older than what is known is refused; then the cluster's storage was set back, and so are we. */
const mostStaleLists = 5;

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  return new ListWatchLoop(options);
}

class ListWatchLoop<T extends KubeObject> implements Reflector {
  readonly #options: ReflectorOptions<T>;
  readonly #timings: ReflectorTimings;
  readonly #source: ListWatch;
  readonly #writer: StoreWriter<T>;
  readonly #logger: Logger;
  readonly #syncedController = new AbortController();
  #lastActivity: number;
  /** The version to watch from; undefined where only a list helps. */
  #position: string | undefined;
  /** The newest version ever seen. */
  #newest = '';
  #staleLists = 0;
  /** Whether nothing came since the last list: then a list is no remedy for a watch that fails. */
  #justListed = false;
  /** Tries in a row that brought nothing. */
  #failures = 0;
  /** Why the resource is not there, as it was said last; undefined where it is there. */
  #absence: 'missing' | 'forbidden' | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#source = createListWatch(options.transport, options);
    this.#writer = options.store.writer();
    this.#logger = options.logger.child({ resource: options.resource.plural, watched: options.namespace ?? '' });
    this.#lastActivity = options.clock.monotonic();
  }

  get synced(): boolean {
    return this.#syncedController.signal.aborted;
  }

  get lastActivity(): number {
    return this.#lastActivity;
  }

  whenSynced(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        this.#syncedController.signal.removeEventListener('abort', finish);
        resolve(this.synced);
      };
      signal.addEventListener('abort', finish, { once: true });
      this.#syncedController.signal.addEventListener('abort', finish, { once: true });
      if (this.synced || signal.aborted) {
        finish();
      }
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#watch(this.#position ?? (await this.#list(signal)), signal);
      } catch (error) {
        if (!signal.aborted) {
          await this.#recover(error, signal);
        }
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { objects, resourceVersion } = await this.#collect(signal);
    if (isOlderVersion(resourceVersion, this.#newest)) {
      this.#staleLists += 1;
      if (this.#staleLists < mostStaleLists) {
        throw new BrokenWatchError('the list is older than what is known');
      }
      this.#logger.warn('The cluster went back in time: its storage was restored', { resourceVersion });
    }
    this.#staleLists = 0;
    this.#newest = resourceVersion;
    this.#position = resourceVersion;
    this.#justListed = true;
    this.#writer.replace(objects, !this.synced);
    this.#syncedController.abort();
    return resourceVersion;
  }

  async #collect(signal: AbortSignal): Promise<{ objects: T[]; resourceVersion: string }> {
    try {
      return await this.#collectPages(this.#options.pageSize ?? 500, signal);
    } catch (error) {
      if (!isGone(error)) {
        throw error;
      }
      // Compaction overtook the pages. In one piece it can't.
      return this.#collectPages(0, signal);
    }
  }

  /** Each page is made small before the next one comes. */
  async #collectPages(limit: number, signal: AbortSignal): Promise<{ objects: T[]; resourceVersion: string }> {
    const objects: T[] = [];
    let resourceVersion = '';
    for await (const page of this.#source.pages(limit, signal)) {
      this.#alive();
      resourceVersion = page.resourceVersion;
      for (const item of page.items) {
        const object = this.#isKept(item) ? this.#transform(item) : undefined;
        if (object !== undefined) {
          objects.push(object);
        }
      }
    }
    return { objects, resourceVersion };
  }

  async #watch(position: string, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const { leastWatch, mostWatch, silence } = this.#timings;
    const guard = guardSilence(clock, silence, () => this.#lastActivity, signal);
    const opened = clock.monotonic();
    this.#alive();
    try {
      const seconds = Math.round(leastWatch + random() * (mostWatch - leastWatch));
      const body = await this.#source.watch(position, seconds, guard.signal);
      this.#absence = undefined;
      for await (const event of watchEvents(body, () => this.#alive())) {
        this.#apply(event);
        this.#progress();
      }
    } finally {
      guard.release();
    }
    if (clock.monotonic() - opened >= shortestWatch) {
      this.#progress();
    } else if (this.#position === position) {
      throw new IdleWatchError('the watch ended at once');
    }
  }

  #apply(event: WatchEvent): void {
    if (event.type === 'ERROR') {
      const { resource, namespace = '' } = this.#options;
      throw errorFromStatus(subjectOf('watch', resource, { namespace }), event.status);
    }
    if (event.type === 'BOOKMARK') {
      this.#advance(event.resourceVersion);
      return;
    }
    this.#advance(event.object.metadata.resourceVersion);
    if (event.type === 'DELETED' || !this.#isKept(event.object)) {
      this.#writer.remove(event.object);
      return;
    }
    const object = this.#transform(this.#source.trim(event.object));
    if (object !== undefined) {
      this.#writer.put(object);
    }
  }

  #advance(version: string): void {
    if (isOlderVersion(version, this.#newest)) {
      throw new BrokenWatchError('the watch went back in time');
    }
    this.#newest = version;
    this.#position = version;
  }

  #isKept(raw: RawObject): boolean {
    return this.#options.keep === undefined || this.#options.keep(raw);
  }

  /** What is in the store already is not made again. What can't be made stays as it was: doubt deletes nothing. */
  #transform(raw: RawObject): T | undefined {
    const { namespace, name, uid, resourceVersion } = raw.metadata;
    const stored = this.#options.store.get(namespace, name);
    const known = stored?.metadata.uid === uid ? stored : undefined;
    if (known?.metadata.resourceVersion === resourceVersion) {
      return known;
    }
    try {
      return this.#options.transform(raw);
    } catch (error) {
      this.#logger.error('An object could not be understood and is left as it was known', {
        namespace,
        name,
        ...describeError(error),
      });
      return known;
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    this.#alive();
    if (needsList(error)) {
      this.#position = undefined;
    }
    if (this.#options.mayBeAbsent === true && (isNotFound(error) || isForbidden(error))) {
      await this.#waitForResource(error, signal);
      return;
    }
    this.#failures += 1;
    if (isGone(error) && !this.#justListed) {
      this.#logger.debug('The watch is too old and starts with a new list');
      return;
    }
    const { clock, random } = this.#options;
    const { backoffBase: base, backoffCap: cap } = this.#timings;
    const retryAfter = error instanceof KubeError ? (error.retryAfter ?? 0) : 0;
    const wait = Math.max(backoff({ base, cap, random }, this.#failures), Math.min(retryAfter, longestRetryAfter));
    this.#logger.warn('Watching failed and is tried again', { ...describeError(error), tries: this.#failures, wait });
    await sleep(clock, wait, signal);
  }

  /** Doubt deletes nothing: what was known stays until the server says twice that there is no such resource. */
  async #waitForResource(error: KubeError, signal: AbortSignal): Promise<void> {
    const absence = isNotFound(error) ? 'missing' : 'forbidden';
    const isCertain = absence === 'missing' && this.#absence === 'missing';
    if (absence !== this.#absence) this.#sayAbsent(absence, error);
    this.#absence = absence;
    this.#failures = 0;
    if (!this.synced || isCertain) {
      this.#writer.replace([], !this.synced);
      this.#syncedController.abort();
    }
    const { clock, random } = this.#options;
    await sleep(clock, this.#timings.absence * (1 + random() / 5), signal);
  }

  /** No failure: a kind that need not be there is one of something else that not every cluster has. */
  #sayAbsent(absence: 'missing' | 'forbidden', error: KubeError): void {
    const { kind, group } = this.#options.resource;
    if (absence === 'missing') {
      this.#logger.info('An optional kind is not installed in this cluster, so it is not watched', { kind, group });
    } else {
      this.#logger.info('An optional kind may not be read, so it is not watched', {
        kind,
        group,
        ...describeError(error),
      });
    }
  }

  #progress(): void {
    this.#failures = 0;
    this.#justListed = false;
  }

  #alive(): void {
    this.#lastActivity = this.#options.clock.monotonic();
  }
}

/** A server that is out of reach, or overloaded, keeps our place; one that refuses it, or sent nonsense, does not. */
function needsList(error: unknown): boolean {
  if (error instanceof KubeError) {
    const tooNew = error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge');
    return tooNew || (error.status >= 400 && error.status < 500 && error.status !== 429);
  }
  return error instanceof BrokenWatchError;
}
