import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { ManagerError } from './errors.ts';
import { lookAtSecret } from './embedded/look.ts';
import type { Sessions } from './sessions.ts';
import { createSessions } from './sessions.ts';
import { ScriptedManager } from './source/scripted-manager.ts';
import { silentLogger } from '../runtime/logger.ts';
import { show, value, want } from './source/source-bench.ts';

function setUp() {
  const clock = createFakeClock();
  const told: string[] = [];
  const calls: string[] = [];
  const sessions: Sessions = createSessions({
    clock,
    random: () => 0.5,
    logger: silentLogger,
    onChange: (managerKey, subscriber) => void told.push(`${managerKey} ${subscriber}`),
    onCall: (managerKey, call) => void calls.push(`${managerKey} ${call.kind} ${call.result}`),
  });
  const build = (text: string) => {
    const manager = new ScriptedManager(clock);
    manager.set('a', 'v1', text);
    return { manager, pollInterval: 30_000 };
  };
  return { clock, told, calls, sessions, build };
}

function refuse(): never {
  throw new ManagerError('ManagerUnavailable', 'no backend');
}

describe('sessions', () => {
  it('keep one session for as long as its fingerprint stays', () => {
    const { sessions, build } = setUp();
    let built = 0;
    const count = () => {
      built += 1;
      return build('one');
    };
    const first = sessions.ensure('shop/aws', '1', count);
    const second = sessions.ensure('shop/aws', '1', count);
    expect(second).toBe(first);
    expect(sessions.get('shop/aws')).toBe(first);
    expect(built).toBe(1);
    expect([...sessions.sessions()].map(([key]) => key)).toEqual(['shop/aws']);
  });

  it('say which manager object a change and a call belong to', async () => {
    const { sessions, build, told, calls, clock } = setUp();
    sessions.ensure('shop/aws', '1', () => build('one')).source.subscribe('shop/ref', [want(value('a'))]);
    await clock.advance(1_000);
    expect(told).toEqual(['shop/aws shop/ref']);
    expect(calls).toEqual(['shop/aws access ok']);
  });

  it('share nothing between two sets of credentials', async () => {
    const { sessions, build, clock, told } = setUp();
    const old = build('old');
    const first = sessions.ensure('shop/aws', '1', () => old);
    first.source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    const second = sessions.ensure('shop/aws', '2', () => build('new'));
    expect(show(first.source.read(value('a')))).toBe('pending');
    expect(show(second.source.read(value('a')))).toBe('pending');
    expect(old.manager.closed).toBe(true);
    second.source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    const reading = second.source.read(value('a'));
    expect(reading.state === 'known' && reading.result.value.asString()).toBe('new');
    expect(told).toHaveLength(2);
    expect(old.manager.count()).toBe(1);
  });

  it('leave no session behind when the new one can not be built', () => {
    const { sessions, build } = setUp();
    const old = build('old');
    sessions.ensure('shop/aws', '1', () => old);
    expect(() => sessions.ensure('shop/aws', '2', refuse)).toThrow('no backend');
    expect(sessions.get('shop/aws')).toBeUndefined();
    expect(old.manager.closed).toBe(true);
  });

  it('stop asking when removed or closed', async () => {
    const { sessions, build, clock, told } = setUp();
    const parts = [build('one'), build('two')] as const;
    sessions.ensure('one', '1', () => parts[0]).source.subscribe('ref', [want(value('a'))]);
    sessions.ensure('two', '1', () => parts[1]).source.subscribe('ref', [want(value('a'))]);
    sessions.remove('one');
    sessions.close();
    await clock.advance(600_000);
    expect(told).toEqual([]);
    expect(parts.map(({ manager }) => manager.calls.length)).toEqual([0, 0]);
    expect([...sessions.sessions()]).toEqual([]);
  });

  it('of embedded managers look at a secret that changed, and others do not', async () => {
    const { sessions, build, clock } = setUp();
    const [embedded, aws] = [build('one'), build('two')];
    embedded.manager.set('shop/db', 'v1');
    aws.manager.set('shop/db', 'v1');
    const subscription = [want(value('shop/db'))];
    sessions.ensure('default', '1', () => ({ ...embedded, backend: 'embedded' })).source.subscribe('ref', subscription);
    sessions.ensure('aws', '1', () => ({ ...aws, backend: 'aws' })).source.subscribe('ref', subscription);
    await clock.advance(1_000);

    lookAtSecret(sessions, 'shop', 'DB');
    lookAtSecret(sessions, 'bank', 'DB');
    await clock.advance(200);

    expect([embedded.manager.count('access'), aws.manager.count('access')]).toEqual([2, 1]);
  });

  it('ask as fast as their limiter lets them', async () => {
    const { sessions, build, clock } = setUp();
    const parts = build('one');
    sessions
      .ensure('shop/aws', '1', () => ({ ...parts, limiter: { wait: () => 5_000, take: () => undefined } }))
      .source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    expect(parts.manager.count()).toBe(0);
  });

  it('count no call as failed that nobody waits for any more', async () => {
    const { sessions, build, calls, clock } = setUp();
    const parts = build('one');
    parts.manager.latency = () => 5_000;
    sessions.ensure('shop/aws', '1', () => parts).source.subscribe('ref', [want(value('a'))]);
    await clock.advance(1_000);
    expect(parts.manager.count()).toBe(1);

    sessions.remove('shop/aws');
    await clock.advance(10_000);

    expect(calls).toEqual([]);
  });
});
