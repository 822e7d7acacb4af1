import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { secrets } from '../../kube/resource.ts';
import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { wrappedSuffix, wrappedText } from '../../managers/embedded/sealing/wrapped-key.ts';
import { backoff } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type KeyEntries, ringOf } from './key-ring.ts';
import { isPlainEntry, wrapPlain } from './wrap-plain.ts';
import { createEntryOpener, type EntryOpener, type KeyWrapper } from './wrapped-entries.ts';

/** What is mounted or watched. Of the same version, the keys are the same. */
export type StoredKeys =
  | { readonly state: 'loading' }
  | { readonly state: 'absent' }
  | (KeyEntries & { readonly state: 'present'; readonly version: string });

/** The sealing keys of the operator. */
export interface KeyStore {
  /** Undefined while nothing is known yet. */
  ring(): KeyRing | undefined;
  /** Calls `listener` when the keys changed. */
  onChange(listener: () => void): void;
  /** Reads them again: something changed. */
  refresh(): Promise<void>;
  /** Makes the first key where there is none, and wraps those that are to be and are not. For the leader alone. */
  ensure(signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface KeyStoreOptions {
  readonly read: () => StoredKeys;
  /** Where the keys are mounted: the folder, for messages. Then nobody can make one. */
  readonly folder?: string | undefined;
  /** Undefined where the keys are mounted. */
  readonly create: { readonly client: KubeClient; readonly namespace: string } | undefined;
  /** Whether anything is sealed, accepted or not: only a lost key could open it. Undefined while that is not known. Then no key is made. */
  readonly hasSealed: () => boolean | undefined;
  /** Undefined where the keys are kept as they are. */
  readonly wrapper?: KeyWrapper | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds until what could not be unwrapped is tried again: the first wait, and the longest. */
const AGAIN = { base: 1_000, cap: 60_000, random: Math.random };

const firstEntry = '1.agekey';
const restore = 'restore it from its backup: keyferry keys restore FILE';
const none = 'there is no sealing key yet: the leader makes one';
const lost = `SealingKeyMissing: Secret ${sealingKeysSecret} with the keys that open what is sealed is gone: ${restore}. Where there is none: keyferry keys create`;

export function createKeyStore(options: KeyStoreOptions): KeyStore {
  const { read, hasSealed, logger } = options;
  const opener = createEntryOpener(options.wrapper);
  const later = createRetry(options.clock, () => void refresh().catch(() => undefined));
  const listeners: (() => void)[] = [];
  let ring: KeyRing | undefined;
  let seen = '';
  let reads = 0;
  let hadKeys = false;

  const refresh = async (): Promise<void> => {
    reads += 1;
    const mine = reads;
    const stored = read();
    // Whoever sealed something to it meanwhile may have done so for git, where nobody sees it.
    hadKeys ||= stored.state === 'present';
    const found = await keysOf(stored, options, opener, hadKeys || hasSealed() === true);
    // Reading takes a while: who began later has seen what is newer.
    if (found === undefined || mine !== reads) return;
    later.after(found.again);
    if (found.version === seen) return;
    seen = found.version;
    // What is known goes on, until the new keys can be opened too.
    const waits = found.again && ring?.current !== undefined;
    report(logger, found.ring, waits);
    if (waits) return;
    ring = found.ring;
    for (const listener of listeners) listener();
  };

  return {
    ring: () => ring,
    onChange: (listener) => listeners.push(listener),
    refresh,
    ensure: async (signal) => {
      await refresh();
      await ensureKeys(options, opener, hadKeys, signal);
    },
    close: () => later.stop(),
  };
}

function report(logger: Logger, { problem, unreadable }: KeyRing, waits: boolean): void {
  const words = { problem: problem ?? unreadable };
  if (waits) logger.warn('New sealing keys can not be unwrapped yet, and the known ones go on', words);
  // In every new cluster there is none at first.
  else if (problem !== undefined && problem !== none) logger.warn('Values can not be sealed', words);
  else if (problem === undefined && unreadable !== undefined) {
    logger.warn('What is sealed to some keys can not be opened', words);
  }
}

async function ensureKeys(
  { read, create, hasSealed, wrapper, logger }: KeyStoreOptions,
  opener: EntryOpener,
  hadKeys: boolean,
  signal: AbortSignal,
): Promise<void> {
  const stored = read();
  if (create === undefined || stored.state === 'loading') return;
  if (stored.state === 'present') {
    if (wrapper === undefined || ![...stored.data.keys()].some(isPlainEntry)) return;
    const entries = await wrapPlain({ ...create, wrapper, opener }, signal);
    if (entries.length > 0) logger.info('wrapped the sealing keys by AWS KMS', { entries: entries.join(', ') });
    return;
  }
  if (hadKeys || hasSealed() !== false) return;
  const made = await createFirst(create, wrapper, signal);
  if (made) logger.info('made the first sealing key: back it up by keyferry keys backup');
}

/** Tries again while there is something to try, less and less often. */
function createRetry(clock: Clock, retry: () => void): { after(again: boolean): void; stop(): void } {
  let tries = 0;
  let timer: Timer | undefined;
  let stopped = false;
  return {
    after: (again) => {
      timer?.cancel();
      tries = again ? tries + 1 : 0;
      if (again && !stopped) timer = clock.after(backoff(AGAIN, tries), retry);
    },
    stop: () => {
      stopped = true;
      timer?.cancel();
    },
  };
}

async function keysOf(
  stored: StoredKeys,
  { folder }: KeyStoreOptions,
  opener: EntryOpener,
  isLost: boolean,
): Promise<{ readonly ring: KeyRing; readonly version: string; readonly again: boolean } | undefined> {
  if (stored.state === 'loading') return undefined;
  if (stored.state === 'present') {
    const where = folder === undefined ? `Secret ${sealingKeysSecret}` : `the folder ${folder} of --sealing-keys-file`;
    const fix = folder === undefined ? restore : 'mount the sealing keys there';
    const { entries, closed, again } = await opener.open(stored);
    const ring = { ...(await ringOf(entries, where, closed ?? fix)), backup: stored.backup };
    return { ring, version: [stored.version, closed ?? ''].join(' '), again };
  }
  const problem = isLost ? lost : none;
  return { ring: keyRing([], undefined, problem), version: problem, again: false };
}

/** True where this made it. Somebody may be faster, and theirs is the key. */
async function createFirst(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  wrapper: KeyWrapper | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const key = await SealingKey.generate();
  const [entry, text] =
    wrapper === undefined
      ? [firstEntry, `# public key: ${key.publicKey}\n${key.reveal()}\n`]
      : [firstEntry + wrappedSuffix, wrappedText(await wrapper.wrap(key, signal))];
  const body = {
    metadata: { name: sealingKeysSecret, namespace, annotations: { [annotations.currentKey]: firstEntry } },
    type: 'Opaque',
    data: { [entry]: Buffer.from(text).toString('base64') },
  };
  try {
    await client.create(secrets, body, { signal, fieldManager: 'keyferry' });
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}
