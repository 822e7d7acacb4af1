import { sealingKeysSecret } from '../../api/v1/names.ts';
import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { secrets } from '../../kube/resource.ts';
import type { Logger } from '../../runtime/logger.ts';

/** What is mounted or watched: the keys' texts by their names, and which of them is in use. */
export type StoredKeys =
  | { readonly state: 'loading' }
  | { readonly state: 'absent' }
  | { readonly state: 'present'; readonly version: string; readonly data: ReadonlyMap<string, SecretValue> };

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
  /** Undefined where the keys are mounted: then nobody can make one. */
  readonly create: { readonly client: KubeClient; readonly namespace: string } | undefined;
  /** Whether there are versions that only a lost key could open. */
  readonly hasVersions: () => boolean;
  readonly logger: Logger;
}

/** The entry that says which key new values are sealed to. Without it: the last by name. */
export const currentEntry = 'current';
const keyEntry = /^[-._a-zA-Z0-9]+\.agekey$/;
const firstEntry = '1.agekey';

const where = `Secret ${sealingKeysSecret}`;
const lost = `SealingKeyMissing: there are secrets, but the key that opens them is gone. Restore ${where} from its backup: keyferry keys restore FILE`;

export function createKeyStore({ read, create, hasVersions, logger }: KeyStoreOptions): KeyStore {
  const listeners: (() => void)[] = [];
  let ring: KeyRing | undefined;
  let seen = '';

  const publish = (next: KeyRing, version: string): void => {
    if (version === seen) return;
    seen = version;
    ring = next;
    if (next.problem !== undefined) logger.error('values can not be sealed', { problem: next.problem });
    for (const listener of listeners) listener();
  };
  const refresh = async (): Promise<void> => {
    const stored = read();
    if (stored.state === 'loading') return;
    if (stored.state === 'present') return publish(await ringOf(stored.data), stored.version);
    const problem = hasVersions() ? lost : 'there is no sealing key yet';
    publish(keyRing([], undefined, problem), problem);
  };

  return {
    ring: () => ring,
    onChange: (listener) => listeners.push(listener),
    refresh,
    ensure: async (signal) => {
      await refresh();
      if (read().state !== 'absent' || create === undefined || hasVersions()) return;
      await createFirst(create, signal);
      logger.info('made the first sealing key: back it up by keyferry keys backup');
    },
  };
}

async function createFirst(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  signal: AbortSignal,
): Promise<void> {
  const key = await SealingKey.generate();
  const text = `# public key: ${key.publicKey}\n${key.reveal()}\n`;
  const data = {
    [firstEntry]: Buffer.from(text).toString('base64'),
    [currentEntry]: Buffer.from(firstEntry).toString('base64'),
  };
  try {
    const body = { metadata: { name: sealingKeysSecret, namespace }, type: 'Opaque', data };
    await client.create(secrets, body, { signal, fieldManager: 'keyferry' });
  } catch (error) {
    // Somebody was faster, and theirs is the key.
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The keys of a Secret or a folder. One that can't be read is a problem for sealing; what the others open, they open. */
export async function ringOf(data: ReadonlyMap<string, SecretValue>): Promise<KeyRing> {
  const keys = new Map<string, SealingKey>();
  const broken: string[] = [];
  for (const [name, value] of [...data].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
    if (!keyEntry.test(name)) continue;
    const key = await SealingKey.parse(textOf(value));
    if (key === undefined) broken.push(name);
    else keys.set(name, key);
  }
  const named = data.get(currentEntry);
  const currentName = named === undefined ? [...keys.keys()].at(-1) : textOf(named).trim();
  const current = keys.get(currentName ?? '');
  return keyRing([...keys.values()], current, problemOf(broken, current));
}

function problemOf(broken: readonly string[], current: SealingKey | undefined): string | undefined {
  if (broken.length > 0)
    return `${where}: ${broken.join(', ')} is not an age key. Restore it: keyferry keys restore FILE`;
  if (current === undefined)
    return `${where}: its entry ${currentEntry} names no key of it. Restore it: keyferry keys restore FILE`;
  return undefined;
}

/** A key is text; anything else is no key. */
function textOf(value: SecretValue): string {
  try {
    return value.asString();
  } catch {
    return '';
  }
}
