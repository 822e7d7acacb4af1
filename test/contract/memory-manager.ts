import { randomUUID } from 'node:crypto';
import { ManagerError } from '../../src/managers/errors.ts';
import type { AccessResult, SecretManager, Selection } from '../../src/managers/manager.ts';
import type { SecretValue } from '../../src/managers/secret-value.ts';

interface StoredVersion {
  readonly version: string;
  readonly value: SecretValue;
  readonly createdAt: Date;
}

interface StoredSecret {
  readonly uid: string;
  readonly tags: Map<string, string>;
  readonly versions: StoredVersion[];
}

export interface MemoryManager extends SecretManager {
  /** Makes a secret without a version, or sets the tags of one. */
  tag(secret: string, tags: Readonly<Record<string, string>>): void;
  /** The same secrets as somebody sees them who may not read this one. */
  without(denied: string): SecretManager;
}

/** A manager in memory: shows that the contract can be kept, and lets the library be tested without a backend. Its only stage is `previous`. */
export function createMemoryManager(): MemoryManager {
  const secrets = new Map<string, StoredSecret>();
  const find = (secret: string): StoredSecret => {
    const found = secrets.get(secret);
    if (found === undefined) throw new ManagerError('SecretNotFound', `there is no secret ${secret}`);
    return found;
  };
  const ensure = (secret: string): StoredSecret => {
    const stored = secrets.get(secret) ?? { uid: randomUUID(), tags: new Map(), versions: [] };
    secrets.set(secret, stored);
    return stored;
  };
  const access: SecretManager['access'] = (selections, signal) =>
    settle(signal, () => selections.map((selection) => read(find, selection)));
  const manager: MemoryManager = {
    capabilities: { stages: true, tags: true, put: true, batchSize: 20 },
    tag: (secret, tags) => {
      const stored = ensure(secret);
      for (const [key, value] of Object.entries(tags)) stored.tags.set(key, value);
    },
    access,
    list: (query, signal) =>
      settle(signal, () =>
        [...secrets]
          .filter(([secret]) => secret.startsWith(query.prefix))
          .filter(([, { tags }]) => [...query.tags].every(([key, value]) => tags.get(key) === value))
          .map(([secret, { tags }]) => ({ secret, tags })),
      ),
    describe: (secret, signal) => settle(signal, () => ({ secret, tags: find(secret).tags })),
    versions: (secret, signal) => settle(signal, () => find(secret).versions.map(summary).toReversed()),
    put: (secret, value, signal) =>
      settle(signal, () => {
        if (value.size === 0) throw new ManagerError('InvalidValue', `the value for secret ${secret} is empty`);
        if (value.size > 65_536) throw new ManagerError('LimitExceeded', `the value for secret ${secret} is too large`);
        const { versions } = ensure(secret);
        const version = String(versions.length + 1);
        versions.push({ version, value, createdAt: new Date() });
        return version;
      }),
    identity: (signal) => settle(signal, () => 'memory'),
    close: () => secrets.clear(),
    without: (denied) => ({ ...manager, access: deny(access, denied), close: () => {} }),
  };
  return manager;
}

function deny(access: SecretManager['access'], denied: string): SecretManager['access'] {
  const refusal = new ManagerError('AccessDenied', `you may not read secret ${denied}`);
  return async (selections, signal) => {
    const found = await access(selections, signal);
    return found.map((result, index) => (selections[index]?.secret === denied ? refusal : result));
  };
}

function read(find: (secret: string) => StoredSecret, { secret, selector }: Selection): AccessResult {
  try {
    const { uid, versions } = find(secret);
    const wanted = {
      latest: versions.at(-1),
      stage: selector.kind === 'stage' && selector.stage === 'previous' ? versions.at(-2) : undefined,
      version: versions.find((item) => selector.kind === 'version' && item.version === selector.version),
    }[selector.kind];
    if (wanted !== undefined)
      return { version: wanted.version, identity: `${wanted.version}@${uid}`, value: wanted.value };
    const reason = selector.kind === 'latest' ? 'NoVersion' : 'VersionNotFound';
    return new ManagerError(reason, `secret ${secret} has no such version`);
  } catch (error) {
    if (error instanceof ManagerError) return error;
    throw error;
  }
}

function summary(stored: StoredVersion, index: number, all: readonly StoredVersion[]) {
  const stages = index === all.length - 2 ? ['previous'] : [];
  return { version: stored.version, stages, createdAt: stored.createdAt };
}

async function settle<T>(signal: AbortSignal, work: () => T): Promise<T> {
  signal.throwIfAborted();
  // As a backend would: never in the same tick.
  await Promise.resolve();
  return work();
}
