import { describe, expect, it } from 'vitest';
import { sleep } from './clock.ts';
import { createFakeClock } from './fake-clock.ts';

describe('the fake clock', () => {
  it('stands still until it is moved', async () => {
    const clock = createFakeClock(1_000);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
  });

  it('fires due timers in order of time, then of making, each at its own time', async () => {
    const clock = createFakeClock(0);
    const fired: string[] = [];
    const note = (name: string) => (): void => void fired.push(`${name}@${clock.now()}`);
    clock.after(20, note('late'));
    clock.after(10, note('first'));
    clock.after(10, note('second'));
    clock.after(31, note('never'));
    await clock.advance(30);
    expect(fired).toEqual(['first@10', 'second@10', 'late@20']);
    expect(clock.pending()).toBe(1);
  });

  it('runs what a timer sets off, and the timers that this makes, before it goes on', async () => {
    const clock = createFakeClock(0);
    const woken: number[] = [];
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn += 1) {
        await sleep(clock, 10, new AbortController().signal);
        woken.push(clock.now());
      }
    };
    const done = loop();
    await clock.advance(30);
    await done;
    expect(woken).toEqual([10, 20, 30]);
  });

  it('does not fire a cancelled timer', async () => {
    const clock = createFakeClock();
    let fired = false;
    clock.after(5, () => (fired = true)).cancel();
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  it('lets an abort end a sleep without the passing of time', async () => {
    const clock = createFakeClock();
    const abort = new AbortController();
    const slept = sleep(clock, 1_000, abort.signal);
    abort.abort();
    await slept;
    expect([clock.monotonic(), clock.pending()]).toEqual([0, 0]);
  });
});
