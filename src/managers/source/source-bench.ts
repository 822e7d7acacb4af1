import type { FakeClock } from '../../runtime/fake-clock.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { ManagerError } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import type { AccessedVersion, Selector } from '../manager.ts';
import type { SourceCall, SourceOptions } from '../source.ts';
import { createSource } from '../source.ts';
import type { Reading, Source, Subscription, Topic } from '../topic.ts';
import { ScriptedManager } from './scripted-manager.ts';

/** A source over a scripted manager, with a clock that stands still. For tests. */
export interface Bench {
  readonly clock: FakeClock;
  readonly manager: ScriptedManager;
  readonly source: Source;
  /** Who was called back, in order. */
  readonly told: string[];
  readonly metrics: SourceCall[];
}

const LATEST: Selector = { kind: 'latest' };

export interface Limits {
  readonly rate: number;
  readonly burst: number;
}

/** The poll interval is 30 s and chance always gives the middle, unless told otherwise. */
export function createBench(options: Partial<Omit<SourceOptions, 'clock' | 'manager'>> = {}, limits?: Limits): Bench {
  const clock = createFakeClock();
  const manager = new ScriptedManager(clock);
  const told: string[] = [];
  const metrics: SourceCall[] = [];
  const source = createSource({
    manager,
    pollInterval: 30_000,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    onChange: (subscriber) => void told.push(subscriber),
    onCall: (call) => void metrics.push(call),
    ...(limits === undefined ? {} : { limiter: createLimiter({ clock, ...limits }) }),
    ...options,
  });
  return { clock, manager, source, told, metrics };
}

export function value(secret: string, selector: Selector = LATEST): Extract<Topic, { kind: 'value' }> {
  return { kind: 'value', secret, selector };
}

export function stage(secret: string, name: string): Extract<Topic, { kind: 'value' }> {
  return value(secret, { kind: 'stage', stage: name });
}

export function want(topic: Topic, refreshInterval?: number): Subscription {
  return { topic, refreshInterval };
}

/** What a reading shows, in a word or two: `pending`, `v1`, `failed SecretNotFound`. */
export function show(reading: Reading<AccessedVersion>): string {
  if (reading.state === 'known') {
    return reading.result.version;
  }
  return reading.state === 'failed' ? `failed ${reading.error.reason}` : reading.state;
}

export function unavailable(retryAfter?: number): ManagerError {
  return new ManagerError('ManagerUnavailable', 'the manager is down', retryAfter === undefined ? {} : { retryAfter });
}

export function throttled(): ManagerError {
  return new ManagerError('Throttled', 'the manager asks to slow down');
}
