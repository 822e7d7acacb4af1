import { ManagerError, type ManagerErrorReason } from '../../managers/errors.ts';
import type { AccessedVersion } from '../../managers/manager.ts';
import { prefixedNames } from '../../managers/secret-names.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import type { Reading, Source, Subscription, Topic, TopicResult, Trouble } from '../../managers/topic.ts';
import type { ManagerDirectory, ReadyManager } from '../managers.ts';

/** A source that says what a test put into it, and notes who subscribed to what. */
export interface FakeSource extends Source {
  set(topic: Topic, reading: Reading<unknown>): void;
  readonly subscribed: Map<string, readonly Subscription[]>;
  refreshed: 'pending' | 'done';
}

export function createFakeSource(): FakeSource {
  const readings = new Map<string, Reading<unknown>>();
  const subscribed = new Map<string, readonly Subscription[]>();
  return {
    subscribed,
    refreshed: 'done',
    set: (topic, reading) => {
      readings.set(topicKey(topic), reading);
    },
    subscribe(subscriber, wants) {
      if (wants.length === 0) subscribed.delete(subscriber);
      else subscribed.set(subscriber, wants);
    },
    read<T extends Topic>(topic: T): Reading<TopicResult<T>> {
      const reading = readings.get(topicKey(topic)) ?? { state: 'pending' };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test puts in what the topic's kind demands
      return reading as Reading<TopicResult<T>>;
    },
    refresh() {
      return this.refreshed;
    },
    look: () => undefined,
    usage: () => ({ secrets: readings.size, subscribers: subscribed.size }),
    close: () => undefined,
  };
}

function topicKey(topic: Topic): string {
  if (topic.kind !== 'find') return JSON.stringify(topic);
  return JSON.stringify([topic.query.prefix, ...topic.query.tags]);
}

export function known<R>(result: R, trouble?: Trouble): Reading<R> {
  return { state: 'known', result, trouble };
}

export function failed(reason: ManagerErrorReason, message = 'no'): Reading<never> {
  return { state: 'failed', error: new ManagerError(reason, message), trouble: undefined };
}

export function versionOf(text: string, version = 'v1'): AccessedVersion {
  return { version, identity: `${version}@abc`, value: SecretValue.fromString(text) };
}

/** A directory with one ready manager, the default, that grants everything unless told otherwise. */
export function directoryOf(source: Source, manager: Partial<ReadyManager> = {}): ManagerDirectory {
  const ready: ReadyManager = {
    state: 'ready',
    source,
    names: prefixedNames(''),
    access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }],
    onRevoked: 'Retain',
    contact: undefined,
    ...manager,
  };
  return { lookup: (key) => (key === 'ClusterSecretManager/default' ? ready : { state: 'missing' }) };
}
