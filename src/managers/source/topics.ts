import type { FindQuery, SecretSummary, Selector } from '../manager.ts';
import type { Subscription, Topic } from '../topic.ts';

export type FindTopic = Extract<Topic, { kind: 'find' }>;

/** What makes two topics the same one. */
export function topicKey(topic: Topic): string {
  if (topic.kind === 'value') {
    return `value\0${topic.secret}\0${selectorKey(topic.selector)}`;
  }
  return topic.kind === 'find' ? `find\0${queryKey(topic.query)}` : versionsKey(topic.secret);
}

/** What is loaded together: all labels of one secret share a key, so that they come from one answer. */
export function unitKey(topic: Topic): string {
  return topic.kind === 'value' && topic.selector.kind !== 'version' ? labelsKey(topic.secret) : topicKey(topic);
}

export function labelsKey(secret: string): string {
  return `labels\0${secret}`;
}

export function versionsKey(secret: string): string {
  return `versions\0${secret}`;
}

/** Whether a secret is what a query asks for: prefix and tags exactly. */
export function matchesQuery(query: FindQuery, summary: SecretSummary): boolean {
  return (
    summary.secret.startsWith(query.prefix) && [...query.tags].every(([key, tag]) => summary.tags.get(key) === tag)
  );
}

/** Whether a subscriber says again what it said before. Called at every reconcile, so it makes no keys. */
export function sameWants(one: readonly Subscription[], other: readonly Subscription[]): boolean {
  return one === other || (one.length === other.length && one.every((want, index) => sameWant(want, other[index])));
}

function sameWant(one: Subscription, other: Subscription | undefined): boolean {
  return other !== undefined && one.refreshInterval === other.refreshInterval && sameTopic(one.topic, other.topic);
}

function sameTopic(one: Topic, other: Topic): boolean {
  if (one === other) {
    return true;
  }
  if (one.kind === 'value') {
    return other.kind === 'value' && one.secret === other.secret && sameSelector(one.selector, other.selector);
  }
  if (one.kind === 'versions') {
    return other.kind === 'versions' && one.secret === other.secret;
  }
  return other.kind === 'find' && sameQuery(one.query, other.query) && sameList(one.known, other.known);
}

function sameSelector(one: Selector, other: Selector): boolean {
  if (one.kind === 'stage') {
    return other.kind === 'stage' && one.stage === other.stage;
  }
  if (one.kind === 'version') {
    return other.kind === 'version' && one.version === other.version;
  }
  return other.kind === 'latest';
}

function sameQuery(one: FindQuery, other: FindQuery): boolean {
  return one === other || queryKey(one) === queryKey(other);
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((item, index) => item === other[index]));
}

function selectorKey(selector: Selector): string {
  if (selector.kind === 'stage') {
    return `stage\0${selector.stage}`;
  }
  return selector.kind === 'version' ? `version\0${selector.version}` : 'latest';
}

function queryKey(query: FindQuery): string {
  return JSON.stringify([query.prefix, [...query.tags].toSorted(([one], [other]) => (one < other ? -1 : 1))]);
}
