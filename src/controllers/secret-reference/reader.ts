import { isGranted, ruleMistakes, suggestRule } from '../../managers/access-rules.ts';
import type { AccessedVersion, Selector, VersionSummary } from '../../managers/manager.ts';
import type { Reading, Subscription, Topic, TopicResult, Trouble } from '../../managers/topic.ts';
import type { ManagerDirectory, ReadyManager } from '../managers.ts';
import { managerTitle } from '../manager-key.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { definite, type Failure } from './failure.ts';

/** Who asks: access rules are about its namespace. */
export interface Asker {
  readonly namespace: string;
  /** Undefined while they are not known. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly trustedLabels: ReadonlySet<string>;
}

/** An answer for now: `pending` comes with a call-back of the reference, `failed` with words for its condition. */
export type Answer<T> =
  | { readonly state: 'pending' }
  | { readonly state: 'known'; readonly result: T }
  | { readonly state: 'failed'; readonly failure: Failure };

export interface Reader {
  value(manager: string, secret: string, selector: Selector, what: string): Answer<AccessedVersion>;
  /** Names as the reference writes them: without the manager's prefix, and only those that the access rules grant. */
  find(
    manager: string,
    query: { readonly prefix: string; readonly tags: ReadonlyMap<string, string> },
    known: readonly string[],
    what: string,
  ): Answer<readonly string[]>;
  versions(manager: string, secret: string, what: string): Answer<readonly VersionSummary[]>;
  /** The form in which the manager compares names. */
  folded(manager: string, name: string): string;
  /** Everything that was asked for, by manager: what the reference subscribes to. */
  readonly wants: ReadonlyMap<string, readonly Subscription[]>;
  /** The worst trouble that any of the readings has. */
  trouble(): Trouble | undefined;
}

export interface ReaderOptions {
  readonly directory: ManagerDirectory;
  readonly asker: Asker;
  /** Milliseconds; undefined: each manager's own interval. */
  readonly refreshInterval: number | undefined;
  /** Names that the asker's namespace already uses: what a wrong one may be taken for. */
  readonly familiarNames: () => Iterable<string>;
}

/** Reads what sources know, without waiting, and notes what was asked. Access rules are checked before a source hears of a name. */
export function createReader(options: ReaderOptions): Reader {
  return new SourceReader(options);
}

class SourceReader implements Reader {
  readonly wants = new Map<string, Subscription[]>();
  readonly #options: ReaderOptions;
  #worst: Trouble | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  trouble(): Trouble | undefined {
    return this.#worst;
  }

  folded(key: string, name: string): string {
    const manager = this.#options.directory.lookup(key);
    return manager.state === 'ready' ? manager.names.ruled(name) : name;
  }

  value(key: string, secret: string, selector: Selector, what: string): Answer<AccessedVersion> {
    return this.#ofSecret(key, secret, what, ({ names }) => ({
      kind: 'value',
      secret: names.full(secret, this.#options.asker.namespace),
      selector,
    }));
  }

  versions(key: string, secret: string, what: string): Answer<readonly VersionSummary[]> {
    return this.#ofSecret(key, secret, what, ({ names }) => ({
      kind: 'versions',
      secret: names.full(secret, this.#options.asker.namespace),
    }));
  }

  find(
    key: string,
    query: { readonly prefix: string; readonly tags: ReadonlyMap<string, string> },
    known: readonly string[],
    what: string,
  ): Answer<readonly string[]> {
    const { directory, asker } = this.#options;
    const manager = readyManager(directory, key);
    if (manager.state !== 'ready') return manager;
    if (!grantsAnything(manager, asker)) {
      return { state: 'failed', failure: denial(manager, asker, key, `${query.prefix}*`, what) };
    }
    const { names: naming } = manager;
    const full = { prefix: naming.prefix(query.prefix, asker.namespace), tags: query.tags };
    const fullKnown = known
      .map((name) => naming.full(name, asker.namespace))
      .filter((name) => name.startsWith(full.prefix));
    const answer = this.#ask(key, manager, { kind: 'find', query: full, known: fullKnown }, what);
    if (answer.state !== 'known') return answer;
    const names = answer.result.map((found) => naming.short(found));
    const granted = names.filter((name) => mayRead(manager, asker, name));
    // `onRevoked` says what becomes of what the target holds: with Delete a key goes by itself, and the Secret with the last.
    const revoked = known.find((name) => names.includes(name) && !granted.includes(name));
    if (revoked !== undefined && (manager.onRevoked === 'Retain' || granted.length === 0)) {
      return { state: 'failed', failure: denial(manager, asker, key, revoked, `${what}, secret ${revoked}`) };
    }
    return { state: 'known', result: granted };
  }

  /** One secret by its name, where the rules grant it. */
  #ofSecret<T extends Topic>(
    key: string,
    secret: string,
    what: string,
    topic: (manager: ReadyManager) => T,
  ): Answer<TopicResult<T>> {
    const { directory, asker } = this.#options;
    const manager = readyManager(directory, key);
    if (manager.state !== 'ready') return manager;
    const refusal = checkAccess(manager, asker, key, secret, what);
    if (refusal !== undefined) return { state: 'failed', failure: refusal };
    const answer = this.#ask(key, manager, topic(manager), what);
    if (answer.state !== 'failed' || answer.failure.reason !== 'SecretNotFound') return answer;
    const message = this.#notFound(key, manager, secret, what, answer.failure.message);
    return { state: 'failed', failure: { ...answer.failure, message } };
  }

  /** What was said, and what may have been meant. */
  #notFound(key: string, { names }: ReadyManager, secret: string, what: string, said: string): string {
    const near = nearestName(secret, [...this.#options.familiarNames()]);
    const meant = near === undefined ? undefined : `. Did you mean ${near}?`;
    const { embedded } = names;
    if (embedded === undefined) return `${said}${meant ?? '. Correct the name, or create the secret'}`;
    // The source knows no spelling of case: a secret is created in that of the reference.
    return `${what} (${managerTitle(key)}): ${embedded.missing(secret, this.#options.asker.namespace)}${meant ?? ''}`;
  }

  #ask<T extends Topic>(key: string, manager: ReadyManager, topic: T, what: string): Answer<TopicResult<T>> {
    const list = this.wants.get(key) ?? [];
    list.push({ topic, refreshInterval: this.#options.refreshInterval });
    this.wants.set(key, list);
    const reading: Reading<TopicResult<T>> = manager.source.read(topic);
    if (reading.state === 'pending') return reading;
    this.#worst = worse(this.#worst, reading.trouble);
    if (reading.state === 'known') return { state: 'known', result: reading.result };
    const { reason, message, transient } = reading.error;
    const text = `${what} (${managerTitle(key)}): ${message}`;
    return { state: 'failed', failure: { reason, message: text, transient, denied: undefined } };
  }
}

function readyManager(
  directory: ManagerDirectory,
  key: string,
): ReadyManager | Exclude<Answer<never>, { state: 'known' }> {
  const manager = directory.lookup(key);
  if (manager.state === 'missing') {
    const message = `there is no ${managerTitle(key)}: create it, or correct managerRef`;
    return { state: 'failed', failure: definite('ManagerNotFound', message) };
  }
  if (manager.state === 'broken') {
    const message = `${managerTitle(key)} does not work: ${manager.message}`;
    return { state: 'failed', failure: { ...definite('ManagerUnavailable', message), transient: true } };
  }
  return manager.state === 'ready' ? manager : { state: 'pending' };
}

function checkAccess(
  manager: ReadyManager,
  asker: Asker,
  key: string,
  secret: string,
  what: string,
): Failure | undefined {
  return mayRead(manager, asker, secret) ? undefined : denial(manager, asker, key, secret, what);
}

function denial(manager: ReadyManager, asker: Asker, key: string, secret: string, what: string): Failure {
  const contact = manager.contact === undefined ? '' : ` Contact: ${manager.contact}.`;
  const rule = suggestRule({ namespace: asker.namespace, secret });
  const message = `${what}: the access rules of ${managerTitle(key)} do not grant it to namespace ${asker.namespace}. A rule that would: ${rule}.${contact}`;
  return {
    reason: 'AccessDenied',
    message,
    transient: false,
    denied: isCertain(manager, asker) ? manager.onRevoked : 'Retain',
  };
}

/** Doubt deletes nothing: rules that are a mistake, or about labels that are not known, may have been meant to grant it. */
function isCertain(manager: ReadyManager, asker: Asker): boolean {
  const rules = manager.access ?? [];
  if (ruleMistakes(rules, asker.trustedLabels).length > 0) return false;
  return asker.labels !== undefined || rules.every((rule) => rule.namespaces.selector === undefined);
}

function grantsAnything(manager: ReadyManager, asker: Asker): boolean {
  if (manager.access === undefined) return true;
  return manager.access.some((rule) =>
    isGranted([{ namespaces: rule.namespaces, secrets: ['**'] }], asker, 'any', asker.trustedLabels),
  );
}

function mayRead(manager: ReadyManager, asker: Asker, secret: string): boolean {
  return (
    manager.access === undefined || isGranted(manager.access, asker, manager.names.ruled(secret), asker.trustedLabels)
  );
}

function worse(a: Trouble | undefined, b: Trouble | undefined): Trouble | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.stale !== b.stale) return a.stale ? a : b;
  return a.since <= b.since ? a : b;
}
