import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from '../context.ts';
import { type KeyBackup, parseBackup } from './backup.ts';

/**
 * Writes the backup to a file that only its owner can read, whole or not at all. An older backup is replaced only where the new one has every key of it.
 * @throws CliError
 */
export async function writeBackup(file: string, text: string, backup: KeyBackup): Promise<void> {
  const older = await readIfThere(file);
  if (older !== undefined) await mayReplace(file, older, backup);
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeWhole(draft, text);
    await rename(draft, file);
    await syncFolder(file);
  } catch (error) {
    // No keys stay behind where nobody looks for them.
    await rm(draft, { force: true });
    throw new CliError(`the backup could not be written to ${file}: ${codeOf(error)}. Nothing counts as backed up`);
  }
}

async function mayReplace(file: string, older: string, backup: KeyBackup): Promise<void> {
  const says = `${file} is there already`;
  const keys = await parseBackup(older, file).catch(() => {
    throw new CliError(`${says} and is no backup of keys: give another name`);
  });
  const kept = new Set(backup.entries.map(({ key }) => key.publicKey));
  if (keys.entries.some(({ key }) => !kept.has(key.publicKey))) {
    throw new CliError(`${says} and has keys that are in the cluster no more, so it stays: give another name`);
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  // Never into what is there: in a folder that others write to, it may be theirs, or a link of theirs.
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So that the name is on the disk too. */
async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CliError(`${file} can not be read: ${codeOf(error)}`);
  }
}

/** @throws CliError */
export async function readBackup(file: string): Promise<KeyBackup> {
  const text = await readIfThere(file);
  if (text === undefined) throw new CliError(`there is no file ${file}`);
  return parseBackup(text, file);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'it failed';
}
