import { z } from 'zod';
import type { FaultBook } from '../fault-book.ts';
import type { Fault } from '../plan.ts';

type EventFault = Extract<Fault, { on: 'event' }>['do'];

/** Milliseconds for which a held event, or a stream that went silent, is kept so. */
const pause = 2_000;
/** Milliseconds after which a client that missed an event is told to list again: what a server does that has forgotten where it was. */
const amnesia = 700;

const eventSchema = z.object({
  type: z.string(),
  object: z.looseObject({ metadata: z.looseObject({ name: z.string().default('') }).optional() }),
});

export interface WatchOutput {
  write(line: string): void;
  /** Ends the stream in good order. */
  end(): void;
  /** Breaks the connection. */
  destroy(): void;
  /** Ends the operator's process by force. */
  kill(): void;
}

export interface WatchTapOptions {
  readonly book: FaultBook;
  readonly slot: string;
  readonly resource: string;
  readonly output: WatchOutput;
}

/** What a watch stream goes through, line by line. */
export class WatchTap {
  readonly #options: WatchTapOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #held: { readonly line: string; readonly name: string } | undefined;
  #silent = false;
  #ended = false;

  constructor(options: WatchTapOptions) {
    this.#options = options;
  }

  take(line: string): void {
    if (this.#ended || this.#silent) return;
    const event = eventSchema.parse(JSON.parse(line));
    if (!['ADDED', 'MODIFIED', 'DELETED'].includes(event.type)) {
      this.#write(line);
      return;
    }
    const { book, slot, resource } = this.#options;
    const name = event.object.metadata?.name ?? '';
    const fault = book.take('event', `${slot}: ${event.type} ${resource} ${name}`);
    if (fault === undefined) this.#write(line);
    else this.#happenings[fault.do](line, name);
    if (this.#held !== undefined && this.#held.name === name && this.#held.line !== line) this.#letGo();
  }

  close(): void {
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  readonly #happenings: Readonly<Record<EventFault, (line: string, name: string) => void>> = {
    drop: () => this.#later(amnesia, () => this.#gone()),
    delay: (line, name) => {
      this.#held = { line, name };
      this.#later(pause, () => this.#letGo());
    },
    duplicate: (line) => {
      this.#write(line);
      this.#write(line);
    },
    'half-open': () => {
      this.#silent = true;
      this.#later(pause, () => this.#options.output.destroy());
    },
    gone: () => this.#gone(),
    garbage: (line) => this.#write(`${line.slice(0, Math.floor(line.length / 2))}"`),
    kill: () => this.#options.output.kill(),
  };

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(held.line);
  }

  #gone(): void {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 };
    this.#write(JSON.stringify({ type: 'ERROR', object: { ...status, message: 'too old resource version' } }));
    this.#ended = true;
    this.#options.output.end();
  }

  #write(line: string): void {
    if (!this.#ended) this.#options.output.write(`${line}\n`);
  }

  #later(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#ended) then();
    }, ms);
    this.#timers.add(timer);
  }
}
