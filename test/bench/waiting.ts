import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../cluster/progress.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import type { Rig } from './rig.ts';

/** Milliseconds: what takes longer is broken. */
export const LONGEST_PHASE = 600_000;
/** Milliseconds without a write after which nothing more is to come. */
export const QUIET = 10_000;
/** Milliseconds between two looks at what the watches brought. */
const LOOK = 10;

/** Waits until nothing has been written for a while: events go out at ten a second. */
export async function settle(rig: Pick<Rig, 'apiCounts'>, log: Log): Promise<void> {
  const started = performance.now();
  for (let before = await rig.apiCounts(); ; ) {
    await delay(QUIET);
    const now = await rig.apiCounts();
    if (now.writes === before.writes && now.events === before.events) break;
    log(`waiting until nothing more is written (${now.events - before.events} events in ${QUIET / 1000} s)`);
    before = now;
  }
  log(`settled after ${Math.round((performance.now() - started) / 1000)} s`);
}

/** Looks until there is something to see; an operator that ended will bring nothing more. */
export async function until<T>(operator: OperatorProcess, what: string, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + LONGEST_PHASE;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    const ended = operator.ended();
    if (ended !== undefined) throw new Error(`the operator ended (${ended}): ${(await operator.log()).slice(-2000)}`);
    if (performance.now() > deadline) throw new Error(`waited ${LONGEST_PHASE / 1000} s in vain until ${what}`);
    await delay(LOOK);
  }
}
