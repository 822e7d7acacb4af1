import { topicKey } from '../../managers/source/topics.ts';
import type { Subscription } from '../../managers/topic.ts';
import type { ManagerDirectory } from '../managers.ts';

/** Which sources each reference is subscribed to, so that it leaves those that it no longer names. */
export interface Subscriptions {
  set(subscriber: string, wants: ReadonlyMap<string, readonly Subscription[]>): void;
  drop(subscriber: string): void;
}

function namesOf(list: readonly Subscription[]): string {
  return list.map(({ topic }) => topicKey(topic)).join();
}

/** `onUse` hears of a manager whose users may have changed. */
export function createSubscriptions(directory: ManagerDirectory, onUse: (managerKey: string) => void): Subscriptions {
  /** What each wants of each manager. */
  const current = new Map<string, ReadonlyMap<string, string>>();

  function set(subscriber: string, wants: ReadonlyMap<string, readonly Subscription[]>): void {
    const before = current.get(subscriber) ?? new Map<string, string>();
    for (const key of before.keys()) if (!wants.has(key)) subscribe(key, subscriber, []);
    for (const [key, list] of wants) subscribe(key, subscriber, list);
    const now = new Map([...wants].map(([key, list]) => [key, namesOf(list)]));
    for (const key of new Set([...before.keys(), ...now.keys()])) if (before.get(key) !== now.get(key)) onUse(key);
    if (now.size === 0) current.delete(subscriber);
    else current.set(subscriber, now);
  }

  function subscribe(key: string, subscriber: string, wants: readonly Subscription[]): void {
    const manager = directory.lookup(key);
    if (manager.state === 'ready') manager.source.subscribe(subscriber, wants);
  }

  return { set, drop: (subscriber) => set(subscriber, new Map()) };
}
