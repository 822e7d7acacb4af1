import type { Clock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/clock.ts';
import { ManagerError } from '../errors.ts';
import type {
  AccessResult,
  FindQuery,
  SecretManager,
  SecretSummary,
  Selection,
  Selector,
  VersionSummary,
} from '../manager.ts';
import { SecretValue } from '../secret-value.ts';
import { matchesQuery } from './topics.ts';

/** What a scripted manager was asked. */
export interface ScriptedCall {
  readonly kind: 'access' | 'list' | 'describe' | 'versions';
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly selections: readonly Selection[];
  readonly signal: AbortSignal;
}

interface Stored {
  readonly versions: Map<string, { readonly identity: string; readonly value: SecretValue }>;
  readonly labels: Map<string, string>;
  tags: ReadonlyMap<string, string>;
}

/** A manager for tests of faults and timing: its answers come after `latency` and fail when the test says so. */
export class ScriptedManager implements SecretManager {
  readonly capabilities = { stages: true, tags: true, put: false, batchSize: 20 } as const;
  readonly calls: ScriptedCall[] = [];
  readonly #clock: Clock;
  readonly #secrets = new Map<string, Stored>();
  /** Milliseconds that each call takes; the answer is that of the moment when it was asked. */
  latency: (call: ScriptedCall) => number = () => 10;
  /** An error that the whole call fails with. */
  fault: (call: ScriptedCall) => Error | undefined = () => undefined;
  /** An error in place of one result. */
  refuse: (selection: Selection) => ManagerError | undefined = () => undefined;
  /** Names that lists leave out. */
  readonly unlisted = new Set<string>();
  closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a version latest; what was latest gets the stage `previous`. */
  set(secret: string, version: string, text = `${secret}#${version}`, identity = `${version}@${secret}`): void {
    const stored = this.#ensure(secret);
    const latest = stored.labels.get('latest');
    if (latest !== undefined) {
      stored.labels.set('previous', latest);
    }
    stored.versions.set(version, { identity, value: SecretValue.fromString(text) });
    stored.labels.set('latest', version);
  }

  tag(secret: string, tags: Readonly<Record<string, string>>): void {
    this.#ensure(secret).tags = new Map(Object.entries(tags));
  }

  delete(secret: string): void {
    this.#secrets.delete(secret);
  }

  /** What a selection would give now, in a word or two: `v1`, `failed SecretNotFound`. */
  shows(selection: Selection): string {
    const result = this.#present(selection);
    return result instanceof ManagerError ? `failed ${result.reason}` : result.version;
  }

  count(kind: ScriptedCall['kind'] = 'access'): number {
    return this.calls.filter((call) => call.kind === kind).length;
  }

  access(selections: readonly Selection[], signal: AbortSignal): Promise<readonly AccessResult[]> {
    return this.#answer('access', selections, signal, () => selections.map((each) => this.#access(each)));
  }

  list(query: FindQuery, signal: AbortSignal): Promise<readonly SecretSummary[]> {
    return this.#answer('list', [], signal, () =>
      [...this.#secrets.keys()]
        .filter((secret) => !this.unlisted.has(secret))
        .map((secret) => this.#summary(secret))
        .filter((summary) => matchesQuery(query, summary)),
    );
  }

  describe(secret: string, signal: AbortSignal): Promise<SecretSummary> {
    return this.#answer('describe', [{ secret, selector: { kind: 'latest' } }], signal, () => this.#summary(secret));
  }

  versions(secret: string, signal: AbortSignal): Promise<readonly VersionSummary[]> {
    return this.#answer('versions', [{ secret, selector: { kind: 'latest' } }], signal, () => {
      const { versions } = this.#find(secret);
      return [...versions.keys()].toReversed().map((version) => ({ version, stages: [], createdAt: undefined }));
    });
  }

  put(): Promise<string> {
    return Promise.reject(new ManagerError('AccessDenied', 'a scripted manager takes no values'));
  }

  identity(): Promise<string> {
    return Promise.resolve('scripted');
  }

  close(): void {
    this.closed = true;
  }

  async #answer<T>(
    kind: ScriptedCall['kind'],
    selections: readonly Selection[],
    signal: AbortSignal,
    make: () => T,
  ): Promise<T> {
    const call = { kind, at: this.#clock.monotonic(), selections, signal };
    this.calls.push(call);
    const fault = this.fault(call);
    const made = fault === undefined ? attempt(make) : { error: fault };
    await sleep(this.#clock, this.latency(call), signal);
    signal.throwIfAborted();
    if ('error' in made) {
      throw made.error;
    }
    return made.value;
  }

  #access(selection: Selection): AccessResult {
    return this.refuse(selection) ?? this.#present(selection);
  }

  #present(selection: Selection): AccessResult {
    const stored = this.#secrets.get(selection.secret);
    if (stored === undefined) {
      return notFound(selection.secret);
    }
    const version = versionOf(selection.selector, stored);
    const found = version === undefined ? undefined : stored.versions.get(version);
    return version === undefined || found === undefined
      ? new ManagerError('VersionNotFound', `secret ${selection.secret} has no such version`)
      : { version, ...found };
  }

  #summary(secret: string): SecretSummary {
    return { secret, tags: this.#find(secret).tags };
  }

  #find(secret: string): Stored {
    const stored = this.#secrets.get(secret);
    if (stored === undefined) {
      throw notFound(secret);
    }
    return stored;
  }

  #ensure(secret: string): Stored {
    const stored = this.#secrets.get(secret) ?? { versions: new Map(), labels: new Map(), tags: new Map() };
    this.#secrets.set(secret, stored);
    return stored;
  }
}

function versionOf(selector: Selector, stored: Stored): string | undefined {
  if (selector.kind === 'version') {
    return selector.version;
  }
  return stored.labels.get(selector.kind === 'latest' ? 'latest' : selector.stage);
}

function attempt<T>(make: () => T): { readonly value: T } | { readonly error: Error } {
  try {
    return { value: make() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error('not an error') };
  }
}

function notFound(secret: string): ManagerError {
  return new ManagerError('SecretNotFound', `there is no secret ${secret}`);
}
