import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { secrets } from '../../kube/resource.ts';
import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type KeyEntries, ringOf } from './key-ring.ts';

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
  /** Makes the first key where there is none. For the leader alone. */
  ensure(signal: AbortSignal): Promise<void>;
}

export interface KeyStoreOptions {
  readonly read: () => StoredKeys;
  /** Where the keys are mounted: the folder, for messages. Then nobody can make one. */
  readonly folder?: string | undefined;
  /** Undefined where the keys are mounted. */
  readonly create: { readonly client: KubeClient; readonly namespace: string } | undefined;
  /** Whether anything is sealed, accepted or not: only a lost key could open it. Undefined while that is not known. Then no key is made. */
  readonly hasSealed: () => boolean | undefined;
  readonly logger: Logger;
}

const firstEntry = '1.agekey';
const restore = 'restore it from its backup: keyferry keys restore FILE';
const none = 'there is no sealing key yet: the leader makes one';
const lost = `SealingKeyMissing: Secret ${sealingKeysSecret} with the keys that open what is sealed is gone: ${restore}. Where there is none: keyferry keys create`;

export function createKeyStore(options: KeyStoreOptions): KeyStore {
  const { read, create, hasSealed, logger } = options;
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
    const found = await keysOf(stored, options, hadKeys || hasSealed() === true);
    // Reading takes a while: who began later has seen what is newer.
    if (found === undefined || mine !== reads || found.version === seen) return;
    ({ ring, version: seen } = found);
    // In every new cluster there is none at first.
    if (ring.problem !== undefined && ring.problem !== none) {
      logger.warn('Values can not be sealed', { problem: ring.problem });
    } else if (ring.unreadable !== undefined) {
      logger.warn('What is sealed to some keys can not be opened', { problem: ring.unreadable });
    }
    for (const listener of listeners) listener();
  };

  return {
    ring: () => ring,
    onChange: (listener) => listeners.push(listener),
    refresh,
    ensure: async (signal) => {
      await refresh();
      if (create === undefined || read().state !== 'absent' || hadKeys || hasSealed() !== false) return;
      const made = await createFirst(create, signal);
      if (made) logger.info('made the first sealing key: back it up by keyferry keys backup');
    },
  };
}

async function keysOf(
  stored: StoredKeys,
  { folder }: KeyStoreOptions,
  isLost: boolean,
): Promise<{ readonly ring: KeyRing; readonly version: string } | undefined> {
  if (stored.state === 'loading') return undefined;
  if (stored.state === 'present') {
    const where = folder === undefined ? `Secret ${sealingKeysSecret}` : `the folder ${folder} of --sealing-keys-file`;
    const fix = folder === undefined ? restore : 'mount the sealing keys there';
    return { ring: await ringOf(stored, where, fix), version: stored.version };
  }
  const problem = isLost ? lost : none;
  return { ring: keyRing([], undefined, problem), version: problem };
}

/** True where this made it. Somebody may be faster, and theirs is the key. */
async function createFirst(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  signal: AbortSignal,
): Promise<boolean> {
  const key = await SealingKey.generate();
  const text = `# public key: ${key.publicKey}\n${key.reveal()}\n`;
  const body = {
    metadata: { name: sealingKeysSecret, namespace, annotations: { [annotations.currentKey]: firstEntry } },
    type: 'Opaque',
    data: { [firstEntry]: Buffer.from(text).toString('base64') },
  };
  try {
    await client.create(secrets, body, { signal, fieldManager: 'keyferry' });
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}
