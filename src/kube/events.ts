import { sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isNotFound, isTooManyRequests, isUnavailable, KubeError } from './errors.ts';
import { type EventInput, type EventReporter, EventSeries, events, seriesKey } from './event-series.ts';
import { TokenBucket } from './token-bucket.ts';

export interface EventRecorderOptions extends EventReporter {
  readonly client: KubeClient;
  readonly logger: Logger;
}

/** Tells people what happened to an object, where `kubectl describe` shows it. */
export interface EventRecorder {
  /** Takes note and returns at once. Never throws. What is too much is dropped, and counted. */
  record(input: EventInput): void;
  /** Writes what was recorded until `signal` aborts, then, for at most two seconds, what is left. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Events that nobody will see. */
  readonly dropped: number;
}

/** Of the process: a burst of 50, then 10 a second. */
const processSize = { burst: 50, perSecond: 10 };
/** New events of one object: a burst of 25, then one in 30 s. Repetitions cost nothing here. */
const objectSize = { burst: 25, perSecond: 1 / 30 };
const longestQueue = 1_000;
const mostSeries = 4_000;
/** Milliseconds of silence after which the same again is a new event. The API server forgets events after an hour. */
const seriesAge = 360_000;
/** Milliseconds between two writes of how often an event was repeated. */
const seriesInterval = 30_000;
const drainTime = 2_000;
const callDeadline = 5_000;
const mostTries = 4;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #bucket: TokenBucket;
  /** In order of their last repetition. */
  readonly #series = new Map<string, EventSeries>();
  readonly #objects = new Map<string, TokenBucket>();
  /** What has to be written, and when (monotonic milliseconds). */
  readonly #queue = new Map<EventSeries, number>();
  #wake = new AbortController();
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, processSize);
  }

  get dropped(): number {
    return this.#dropped;
  }

  record(input: EventInput): void {
    const { clock } = this.#options;
    const key = seriesKey(input);
    const known = this.#series.get(key);
    const now = clock.monotonic();
    if (known !== undefined && now - known.lastSeen < seriesAge) {
      known.repeat();
      this.#remember(key, known);
      this.#enqueue(known, Math.max(now, known.writtenAt + seriesInterval));
      return;
    }
    if (this.#queue.size >= longestQueue || !this.#bucketOf(input).take()) {
      this.#dropped += 1;
      return;
    }
    const series = new EventSeries(input, this.#options);
    this.#remember(key, series);
    this.#enqueue(series, now);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const next = this.#next();
      const wait = Math.max(next.wait, this.#bucket.wait());
      if (next.series === undefined || wait > 0) {
        await this.#pause(next.series === undefined ? undefined : wait, signal);
      } else {
        this.#bucket.take();
        await this.#write(next.series, signal);
      }
    }
    const drained = new AbortController();
    const timer = clock.after(drainTime, () => drained.abort());
    for (const series of this.#queue.keys()) {
      if (!drained.signal.aborted) {
        await this.#write(series, drained.signal);
      }
    }
    timer.cancel();
    this.#dropped += this.#queue.size;
    this.#queue.clear();
  }

  async #write(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#options;
    this.#queue.delete(series);
    const limits = { signal, deadline: callDeadline, fieldManager: 'keyferry-events' };
    try {
      await (series.written
        ? client.mergePatch(events, series.patch(), limits)
        : client.create(events, series.body(), limits));
      series.tries = 0;
      series.writtenAt = clock.monotonic();
    } catch (error) {
      if (isAlreadyExists(error)) {
        // A try whose answer got lost did it.
        series.writtenAt = clock.monotonic();
        return;
      }
      this.#retryOrDrop(series, error);
      logger.debug('An event could not be written', { reason: series.input.reason, ...describeError(error) });
    }
  }

  #retryOrDrop(series: EventSeries, error: unknown): void {
    const { clock } = this.#options;
    series.tries += 1;
    const passing = !(error instanceof KubeError) || isUnavailable(error) || isTooManyRequests(error);
    if (passing && series.tries < mostTries) {
      this.#enqueue(series, clock.monotonic() + 1_000 * 3 ** series.tries);
      return;
    }
    this.#series.delete(seriesKey(series.input));
    // An event that the API server forgot meanwhile was seen; what else can't be written (a namespace that goes away) was not.
    this.#dropped += isNotFound(error) && series.written ? 0 : 1;
  }

  #next(): { series: EventSeries | undefined; wait: number } {
    let first: EventSeries | undefined;
    let due = Number.POSITIVE_INFINITY;
    for (const [series, at] of this.#queue) {
      if (at < due) {
        first = series;
        due = at;
      }
    }
    return { series: first, wait: due - this.#options.clock.monotonic() };
  }

  #enqueue(series: EventSeries, due: number): void {
    if (!this.#queue.has(series)) {
      this.#queue.set(series, due);
      this.#wake.abort();
    }
  }

  /** Until `ms` passed, something was recorded, or `signal` aborted. */
  async #pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    const wake = this.#wake;
    const stop = (): void => wake.abort();
    signal.addEventListener('abort', stop, { once: true });
    await sleep(this.#options.clock, ms ?? seriesAge, wake.signal);
    signal.removeEventListener('abort', stop);
  }

  #remember(key: string, series: EventSeries): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    dropOldest(this.#series, mostSeries);
  }

  #bucketOf(input: EventInput): TokenBucket {
    const { uid, kind, namespace, name } = input.regarding;
    const key = [uid, kind, namespace, name].join('/');
    const bucket = this.#objects.get(key) ?? new TokenBucket(this.#options.clock, objectSize);
    this.#objects.delete(key);
    this.#objects.set(key, bucket);
    dropOldest(this.#objects, mostSeries);
    return bucket;
  }
}

function dropOldest<V>(map: Map<string, V>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) {
      return;
    }
    map.delete(key);
  }
}
