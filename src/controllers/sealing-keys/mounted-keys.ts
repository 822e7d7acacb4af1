import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretValue } from '../../managers/secret-value.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isKeyEntry } from './key-ring.ts';
import type { StoredKeys } from './key-store.ts';

/** Milliseconds between two looks. The kubelet itself takes a minute to show a change. */
const LOOK_AGAIN = 30_000;
/** A key has 74 bytes. */
const MAX_FILE_BYTES = 8 * 1024;
const MAX_FILES = 100;

export interface MountedKeysOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: () => void;
}

/** Keys that are mounted: every file of a folder. What can't be read for a moment leaves the keys as they were. */
export function watchMountedKeys({ folder, clock, logger, onChange }: MountedKeysOptions): {
  read(): StoredKeys;
  stop(): void;
} {
  let stored: StoredKeys = { state: 'loading' };
  let stopped = false;
  let timer = clock.after(0, () => void look());

  async function look(): Promise<void> {
    try {
      const found = await readFolder(folder);
      const changed = stored.state !== 'present' || stored.version !== found.version;
      stored = found;
      if (changed && !stopped) onChange();
    } catch {
      logger.warn('The folder of sealing keys can not be read', { folder });
    }
    if (!stopped) timer = clock.after(LOOK_AGAIN, () => void look());
  }

  return {
    read: () => stored,
    stop: () => {
      stopped = true;
      timer.cancel();
    },
  };
}

async function readFolder(folder: string): Promise<StoredKeys & { readonly state: 'present' }> {
  const data = new Map<string, SecretValue>();
  const version = createHash('sha256');
  // A mounted Secret has its versions below names that begin with two dots; a volume may have other things beside the keys.
  const names = (await readdir(folder)).filter((name) => isKeyEntry(name)).toSorted();
  if (names.length > MAX_FILES) throw new RangeError('there are too many files');
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path);
    const { mtimeMs, ino } = found;
    // What is no file, or too large, is no key: as an empty one it is told as broken. A pipe would be waited for.
    const size = found.isFile() && found.size <= MAX_FILE_BYTES ? found.size : 0;
    version.update(JSON.stringify([name, size, mtimeMs, ino]));
    data.set(name, SecretValue.fromBytes(size === 0 ? new Uint8Array() : await readFile(path)));
  }
  return { state: 'present', version: version.digest('hex'), data };
}
