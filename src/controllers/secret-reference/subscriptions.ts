import type { Subscription } from '../../managers/topic.ts';
import type { ManagerDirectory } from '../managers.ts';

/** Which sources each reference is subscribed to, so that it leaves those that it no longer names. */
export interface Subscriptions {
  set(subscriber: string, wants: ReadonlyMap<string, readonly Subscription[]>): void;
  drop(subscriber: string): void;
}

/** `onUse` hears of a manager whose users may have changed. */
export function createSubscriptions(directory: ManagerDirectory, onUse: (managerKey: string) => void): Subscriptions {
  const current = new Map<string, ReadonlySet<string>>();

  function set(subscriber: string, wants: ReadonlyMap<string, readonly Subscription[]>): void {
    const before = current.get(subscriber) ?? new Set();
    for (const key of before) if (!wants.has(key)) subscribe(key, subscriber, []);
    for (const [key, list] of wants) subscribe(key, subscriber, list);
    for (const key of new Set([...before, ...wants.keys()])) if (before.has(key) !== wants.has(key)) onUse(key);
    if (wants.size === 0) current.delete(subscriber);
    else current.set(subscriber, new Set(wants.keys()));
  }

  function subscribe(key: string, subscriber: string, wants: readonly Subscription[]): void {
    const manager = directory.lookup(key);
    if (manager.state === 'ready') manager.source.subscribe(subscriber, wants);
  }

  return { set, drop: (subscriber) => set(subscriber, new Map()) };
}
