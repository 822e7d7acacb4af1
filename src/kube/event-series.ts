import type { Clock, Random } from '../runtime/clock.ts';
import type { KubeBody } from './client.ts';
import { microTime } from './micro-time.ts';
import type { Resource } from './resource.ts';

export const events: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

export interface EventRegarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventInput {
  readonly regarding: EventRegarding;
  readonly type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word that machines may compare: `SecretNotFound`. */
  readonly reason: string;
  /** What was being done, in one CamelCase word: `Sync`. */
  readonly action: string;
  /** A sentence for people. At most 1,024 bytes of it are kept. Never a secret value. */
  readonly note: string;
}

const longestNote = 1024;

/** Who reports events. */
export interface EventReporter {
  /** Such as `keyferry.io/operator`. */
  readonly controller: string;
  /** Which of them, such as the pod's name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** One event and its repetitions. */
export class EventSeries {
  readonly input: EventInput;
  /** Monotonic milliseconds of the last one. */
  lastSeen: number;
  /** Monotonic milliseconds; negative infinity where the event is not written yet. */
  writtenAt: number = Number.NEGATIVE_INFINITY;
  /** Writes that failed in a row. */
  tries = 0;
  readonly #reporter: EventReporter;
  /** Chosen once, so that a write that is tried again does not make a second event. */
  readonly #name: string;
  readonly #firstTime: number;
  #lastTime: number;
  #count = 1;

  constructor(input: EventInput, reporter: EventReporter) {
    this.input = input;
    this.#reporter = reporter;
    this.#name = eventName(input, reporter);
    this.lastSeen = reporter.clock.monotonic();
    this.#firstTime = reporter.clock.now();
    this.#lastTime = this.#firstTime;
  }

  get written(): boolean {
    return this.writtenAt !== Number.NEGATIVE_INFINITY;
  }

  repeat(): void {
    this.#count += 1;
    this.lastSeen = this.#reporter.clock.monotonic();
    this.#lastTime = this.#reporter.clock.now();
  }

  /** The Event object to create. */
  body(): KubeBody {
    const { regarding, type, reason, action, note } = this.input;
    return {
      metadata: this.#metadata(),
      eventTime: microTime(this.#firstTime),
      reportingController: this.#reporter.controller,
      reportingInstance: cut(this.#reporter.instance, 128),
      action: cut(action, 128),
      reason: cut(reason, 128),
      regarding,
      type,
      note: cut(note, longestNote),
      ...this.#repetitions(),
    };
  }

  /** What repetitions change of it. */
  patch(): KubeBody {
    return { metadata: this.#metadata(), ...this.#repetitions() };
  }

  /** The API server keeps events of cluster-scoped objects in `default`. */
  #metadata(): { name: string; namespace: string } {
    const { namespace } = this.input.regarding;
    return { name: this.#name, namespace: namespace === '' ? 'default' : namespace };
  }

  /** The API server wants a count of two at least. */
  #repetitions(): Record<string, unknown> {
    const lastObservedTime = microTime(this.#lastTime);
    return this.#count < 2 ? {} : { series: { count: this.#count, lastObservedTime } };
  }
}

/** Equal for events that say the same of the same object. */
export function seriesKey(input: EventInput): string {
  const { apiVersion, kind, namespace, name, uid } = input.regarding;
  return JSON.stringify([apiVersion, kind, namespace, name, uid, input.type, input.reason, input.action, input.note]);
}

/** The object's name, time and chance: no other event has it. */
function eventName(input: EventInput, { clock, random }: EventReporter): string {
  const prefix = input.regarding.name.slice(0, 200).replace(/[.-]+$/, '');
  const chance = Math.floor(random() * 2 ** 32);
  return `${prefix}.${clock.now().toString(16)}${chance.toString(16).padStart(8, '0')}`;
}

/** At most `most` bytes of UTF-8, without half a character at the end. */
function cut(text: string, most: number): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length <= most ? text : new TextDecoder().decode(bytes.subarray(0, most), { stream: true });
}
