import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from './clock.ts';
import { createFakeClock } from './fake-clock.ts';
import { createWorkQueue, type QueueObserver, type WorkQueue } from './queue.ts';

const highest = (): number => 1 - Number.EPSILON;

function setUp(observer?: QueueObserver) {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock, random: highest, ...(observer && { observer }) });
  return { clock, queue };
}

/** Takes all that is ready, in order, and gives it back at once. */
async function takeAll(queue: WorkQueue): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  while (queue.depth() > 0) {
    const key = await queue.next();
    keys.push(key);
    queue.done(key ?? '');
  }
  return keys;
}

describe('the work queue', () => {
  it('hands a key out once, however often it was added', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });

  it('hands a key that was added in flight out again after it is done, and not before', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.add('a');
    queue.add('a');
    expect(queue.depth()).toBe(0);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('gives a key to a worker that waits for one', async () => {
    const { queue } = setUp();
    const waiting = [queue.next(), queue.next()];
    queue.add('a');
    queue.add('b');
    expect(await Promise.all(waiting)).toEqual(['a', 'b']);
  });

  it('gives a key that was added in flight to a worker that waits, once it is done', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.next();
    let given: string | undefined;
    const waiting = queue.next().then((key) => (given = key));
    queue.add('a');
    await clock.flush();
    expect(given).toBeUndefined();
    queue.done('a');
    await waiting;
    expect(given).toBe('a');
  });

  it('takes keys of high priority first, and promotes a low one that is added as high', async () => {
    const { queue } = setUp();
    for (const key of ['low-1', 'low-2', 'low-3']) {
      queue.add(key, 'low');
    }
    queue.add('high-1');
    queue.add('low-3', 'high');
    queue.add('high-1', 'low');
    expect(await takeAll(queue)).toEqual(['high-1', 'low-3', 'low-1', 'low-2']);
  });

  it('lets no stream of high priority starve a low key', async () => {
    const { queue } = setUp();
    queue.add('low', 'low');
    const taken: (string | undefined)[] = [];
    for (let turn = 0; turn < 20 && !taken.includes('low'); turn += 1) {
      queue.add(`high-${turn}`);
      queue.add(`more-${turn}`);
      const key = await queue.next();
      taken.push(key);
      queue.done(key ?? '');
    }
    expect(taken).toContain('low');
  });

  it('hands a delayed key out when its time has come', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 1_000);
    await clock.advance(999);
    expect(queue.depth()).toBe(0);
    await clock.advance(1);
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('keeps the earliest of several delays', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 500);
    queue.addAfter('a', 2_000);
    await clock.advance(500);
    expect(await takeAll(queue)).toEqual(['a']);
    expect(clock.pending()).toBe(0);
  });

  it('drops a delay when the key is added before', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 1_000);
    queue.add('a');
    queue.addAfter('a', 10);
    expect(await takeAll(queue)).toEqual(['a']);
    await clock.advance(2_000);
    expect(queue.depth()).toBe(0);
  });

  it('keeps a delay that comes due in flight for after it is done', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.addAfter('a', 10);
    await clock.advance(20);
    expect(queue.depth()).toBe(0);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('waits longer with every retry of a key, up to the cap, and starts anew once it is forgotten', async () => {
    const { clock, queue } = setUp();
    const waits: number[] = [];
    const fail = async (): Promise<void> => {
      await queue.next();
      waits.push(Math.round(queue.retry('a')));
      queue.done('a');
      await clock.advance(60_000);
    };
    queue.add('a');
    for (let failure = 0; failure < 16; failure += 1) {
      await fail();
    }
    queue.forget('a');
    await fail();
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(waits.slice(14)).toEqual([60_000, 60_000, 5]);
  });

  it('keeps the backoff of each key to itself', () => {
    const { queue } = setUp();
    queue.retry('a');
    queue.retry('a');
    expect(Math.round(queue.retry('b'))).toBe(5);
  });

  it('holds no state of idle keys', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.retry('a');
    queue.done('a');
    expect(queue.size()).toBe(1);
    await clock.advance(5);
    await queue.next();
    queue.forget('a');
    queue.done('a');
    expect([queue.size(), clock.pending()]).toEqual([0, 0]);
  });

  it('says how long the keys in flight have been there', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.add('b');
    await queue.next();
    await clock.advance(100);
    await queue.next();
    await clock.advance(50);
    expect(queue.inFlight()).toEqual({ count: 2, total: 200, longest: 150 });
  });

  it('tells its observer of waits and work', async () => {
    const seen: string[] = [];
    const note =
      (what: string) =>
      (ms = 0): void =>
        void seen.push(`${what} ${ms}`);
    const { clock, queue } = setUp({
      added: note('added'),
      taken: note('taken'),
      finished: note('finished'),
      retried: note('retried'),
    });
    queue.add('a');
    await clock.advance(30);
    await queue.next();
    await clock.advance(20);
    queue.retry('a');
    queue.done('a');
    expect(seen).toEqual(['added 0', 'taken 30', 'retried 0', 'finished 20']);
  });

  it('drops what waits when it is shut down, and resolves when nothing is in flight any more', async () => {
    const { clock, queue } = setUp();
    queue.add('in flight');
    await queue.next();
    queue.add('in flight');
    queue.add('waits');
    queue.addAfter('delayed', 10);
    let drained = false;
    const shutDown = queue.shutDown().then(() => (drained = true));
    queue.add('late');
    await clock.advance(100);
    expect([drained, queue.depth(), await queue.next()]).toEqual([false, 0, undefined]);
    queue.retry('in flight');
    queue.done('in flight');
    await shutDown;
    expect([drained, queue.size(), clock.pending()]).toEqual([true, 0, 0]);
  });

  it('releases workers that wait when it is shut down', async () => {
    const { queue } = setUp();
    const waiting = queue.next();
    await queue.shutDown();
    expect(await waiting).toBeUndefined();
  });
});

describe('the work queue under any load', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), key, priority: fc.constantFrom('high' as const, 'low' as const) }),
    fc.record({ kind: fc.constant('addAfter' as const), key, ms: fc.nat(50) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(30) }),
  );
  const work = fc.record({ ms: fc.nat(20), fails: fc.boolean() });

  it('loses no key, keeps no state, and never gives one key to two workers', async () => {
    const load = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(work, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, works, workers) => {
        const { clock, queue } = setUp();
        const wanted = new Set<string>();
        const active = new Set<string>();
        const faults: string[] = [];
        const worker = async (): Promise<void> => {
          for (let taken = await queue.next(); taken !== undefined; taken = await queue.next()) {
            faults.push(...(active.has(taken) ? [`${taken} is with two workers`] : []));
            wanted.delete(taken);
            active.add(taken);
            const { ms, fails } = works.shift() ?? { ms: 1, fails: false };
            await sleep(clock, ms, new AbortController().signal);
            active.delete(taken);
            if (fails) {
              wanted.add(taken);
              queue.retry(taken);
            } else {
              queue.forget(taken);
            }
            queue.done(taken);
          }
        };
        const all = Promise.all(Array.from({ length: workers }, worker));
        for (const one of steps) {
          if (one.kind === 'advance') {
            await clock.advance(one.ms);
            continue;
          }
          wanted.add(one.key);
          if (one.kind === 'add') {
            queue.add(one.key, one.priority);
          } else {
            queue.addAfter(one.key, one.ms);
          }
        }
        // Longer than 40 failures of one key in a row, each with the longest backoff.
        await clock.advance(41 * 60_000);
        expect({ faults, wanted: [...wanted], size: queue.size() }).toEqual({ faults: [], wanted: [], size: 0 });
        await queue.shutDown();
        await all;
      },
    );
    await fc.assert(load, { numRuns: 150 });
  });
});
