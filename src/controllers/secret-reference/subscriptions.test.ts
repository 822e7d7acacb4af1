import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Subscription } from '../../managers/topic.ts';
import type { ManagerDirectory } from '../managers.ts';
import { createFakeSource, directoryOf, type FakeSource } from '../testing/fake-source.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';

const topic = (secret: string): Subscription => ({
  topic: { kind: 'value', secret, selector: { kind: 'latest' } },
  refreshInterval: undefined,
});
const wants = (...keys: readonly string[]): ReadonlyMap<string, readonly Subscription[]> =>
  new Map(keys.map((key) => [key, [topic('db.password')]]));

describe('subscriptions', () => {
  let a: FakeSource;
  let b: FakeSource;
  let onUse: ReturnType<typeof vi.fn<(key: string) => void>>;
  let subscriptions: Subscriptions;

  beforeEach(() => {
    a = createFakeSource();
    b = createFakeSource();
    onUse = vi.fn<(key: string) => void>();
    const sources: Readonly<Record<string, FakeSource>> = { a, b };
    const directory: ManagerDirectory = {
      lookup: (key) => {
        const source = sources[key];
        return source === undefined
          ? { state: 'starting' }
          : directoryOf(source).lookup('ClusterSecretManager/default');
      },
    };
    subscriptions = createSubscriptions(directory, onUse);
  });

  it('tell a source what is wanted, and its manager that it is used', () => {
    subscriptions.set('shop/api-db', wants('a'));
    expect(a.subscribed.get('shop/api-db')).toEqual([topic('db.password')]);
    expect(onUse.mock.calls).toEqual([['a']]);
  });

  it('leave a source that is no longer named', () => {
    subscriptions.set('shop/api-db', wants('a'));
    subscriptions.set('shop/api-db', wants('b'));
    expect(a.subscribed.has('shop/api-db')).toBe(false);
    expect(b.subscribed.has('shop/api-db')).toBe(true);
    expect(onUse.mock.calls).toEqual([['a'], ['a'], ['b']]);
  });

  it('tell nobody of users where there are the same ones', () => {
    subscriptions.set('shop/api-db', wants('a'));
    subscriptions.set('shop/api-db', wants('a'));
    expect(onUse).toHaveBeenCalledTimes(1);
  });

  it('tell a manager that another of its secrets is used', () => {
    subscriptions.set('shop/api-db', new Map([['a', [topic('db.password')]]]));
    subscriptions.set('shop/api-db', new Map([['a', [topic('db.user')]]]));
    expect(onUse.mock.calls).toEqual([['a'], ['a']]);
  });

  it('leave every source of a reference that is gone', () => {
    subscriptions.set('shop/api-db', wants('a', 'b'));
    subscriptions.drop('shop/api-db');
    expect([a.subscribed.size, b.subscribed.size]).toEqual([0, 0]);
    expect(onUse.mock.calls.slice(2)).toEqual([['a'], ['b']]);
  });

  it('count a manager that is not ready as used, so that it hears of its users when it is', () => {
    subscriptions.set('shop/api-db', wants('c'));
    subscriptions.drop('shop/api-db');
    expect(onUse.mock.calls).toEqual([['c'], ['c']]);
  });
});
