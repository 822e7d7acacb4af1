import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bench } from './source/source-bench.ts';
import { createBench, show, stage, throttled, unavailable, value, want } from './source/source-bench.ts';
import type { Topic } from './topic.ts';

type ValueTopic = Extract<Topic, { kind: 'value' }>;

const SECRETS = ['a', 'b', 'c', 'd'] as const;
const TOPICS: readonly ValueTopic[] = SECRETS.flatMap((secret) => [
  value(secret),
  stage(secret, 'previous'),
  value(secret, { kind: 'version', version: 'v1' }),
]);
const FAULTS = ['none', 'none', 'down', 'throttled', 'hangs', 'slow', 'one label'] as const;

type Step =
  | { readonly do: 'subscribe'; readonly who: number; readonly topics: readonly number[] }
  | { readonly do: 'set' | 'delete' | 'look'; readonly secret: (typeof SECRETS)[number] }
  | { readonly do: 'refresh'; readonly who: number }
  | { readonly do: 'fault'; readonly fault: (typeof FAULTS)[number] }
  | { readonly do: 'wait'; readonly ms: number };

const secret = fc.constantFrom(...SECRETS);
const who = fc.nat({ max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('subscribe' as const),
    who,
    topics: fc.uniqueArray(fc.nat({ max: TOPICS.length - 1 }), { maxLength: 5 }),
  }),
  fc.record({ do: fc.constantFrom('set' as const, 'set' as const, 'delete' as const, 'look' as const), secret }),
  fc.record({ do: fc.constant('refresh' as const), who }),
  fc.record({ do: fc.constant('fault' as const), fault: fc.constantFrom(...FAULTS) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 15, 50, 700, 5_000, 31_000, 200_000) }),
);

/** Plays steps against a source, and keeps what each subscriber saw when it was last called or subscribed. */
class Play {
  readonly bench: Bench;
  readonly wants = new Map<string, readonly ValueTopic[]>();
  readonly seen = new Map<string, string>();
  /** By secret, every pair of its labels that ever was. */
  readonly pairs = new Map<string, Set<string>>();
  /** Pairs that were read and never were. */
  readonly torn: string[] = [];
  #version = 0;
  #token = 0;

  constructor(random: () => number) {
    this.bench = createBench({ random, onChange: (subscriber) => this.#look(subscriber) });
    SECRETS.forEach((name) => this.#note(name));
  }

  async run(action: Step): Promise<void> {
    const { source, manager, clock } = this.bench;
    if (action.do === 'wait') {
      await clock.advance(action.ms);
    } else if (action.do === 'subscribe') {
      this.#subscribe(`ref${action.who}`, action.topics);
    } else if (action.do === 'refresh') {
      this.#token += 1;
      source.refresh(`ref${action.who}`, `token${this.#token}`);
    } else if (action.do === 'fault') {
      this.fault(action.fault);
    } else if (action.do === 'look') {
      source.look(action.secret);
    } else {
      if (action.do === 'set') {
        this.#version += 1;
        manager.set(action.secret, `v${this.#version}`, undefined, `v${this.#version}@${clock.now()}`);
      } else {
        manager.delete(action.secret);
      }
      this.#note(action.secret);
    }
    this.checkTearing();
  }

  fault(name: (typeof FAULTS)[number]): void {
    const { manager } = this.bench;
    const errors = { down: unavailable(), throttled: throttled() } as const;
    manager.fault = () => (name === 'down' || name === 'throttled' ? errors[name] : undefined);
    manager.latency = () => (name === 'hangs' ? 1e9 : name === 'slow' ? 3_000 : 10);
    manager.refuse = ({ selector }) => (name === 'one label' && selector.kind === 'stage' ? throttled() : undefined);
  }

  present(topic: ValueTopic): string {
    return this.bench.manager.shows(topic);
  }

  read(topic: ValueTopic): string {
    return show(this.bench.source.read(topic));
  }

  checkTearing(): void {
    for (const name of SECRETS) {
      const pair = [this.read(value(name)), this.read(stage(name, 'previous'))];
      const isWhole = pair.every((each) => !/pending|Throttled|Unavailable/u.test(each));
      if (isWhole && this.pairs.get(name)?.has(pair.join(' ')) !== true) {
        this.torn.push(`${name}: ${pair.join(' ')}`);
      }
    }
  }

  #subscribe(subscriber: string, topics: readonly number[]): void {
    const wanted = topics.flatMap((index) => TOPICS[index] ?? []);
    this.wants.set(subscriber, wanted);
    this.bench.source.subscribe(
      subscriber,
      wanted.map((topic) => want(topic)),
    );
    this.#look(subscriber);
  }

  #look(subscriber: string): void {
    this.checkTearing();
    this.seen.set(subscriber, this.view(subscriber));
  }

  view(subscriber: string): string {
    return (this.wants.get(subscriber) ?? []).map((topic) => this.read(topic)).join(' ');
  }

  #note(name: string): void {
    const pairs = this.pairs.get(name) ?? new Set();
    this.pairs.set(name, pairs.add(`${this.present(value(name))} ${this.present(stage(name, 'previous'))}`));
  }
}

/** Chance that can be repeated. */
function randomFrom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('a source, whatever happens', () => {
  it('never tears, ends with what the manager holds, and has told everybody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(), async (steps, seed) => {
        const play = new Play(randomFrom(seed));
        for (const each of steps) {
          await play.run(each);
        }
        play.fault('none');
        await play.bench.clock.advance(125_000);
        for (const [subscriber, topics] of play.wants) {
          const present = topics.map((topic) => play.present(topic)).join(' ');
          const isPinned = topics.some((topic) => topic.selector.kind === 'version');
          expect(play.seen.get(subscriber)).toBe(play.view(subscriber));
          // A pinned version is verified too rarely to follow a secret that was deleted.
          expect(isPinned ? present : play.view(subscriber)).toBe(present);
        }
        expect(play.torn).toEqual([]);
        play.bench.source.close();
        await play.bench.clock.flush();
        expect(play.bench.clock.pending()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('never asks much more than it must, in any state of the manager', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
        const play = new Play(randomFrom(seed));
        for (const each of steps) {
          const before = play.bench.manager.calls.length;
          await play.run(each);
          const minutes = each.do === 'wait' ? each.ms / 60_000 : 0;
          // At most: what had just been asked for, every missing secret's quick retries, and two kinds of batches at each poll.
          expect(play.bench.manager.calls.length - before).toBeLessThanOrEqual(16 + minutes * 6);
        }
      }),
      { numRuns: 200 },
    );
  });
});
