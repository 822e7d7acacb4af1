import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { CliError } from '../context.ts';

/** @throws CliError */
export async function readTextFile(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch {
    throw new CliError(`the file ${file} can not be read: make the first version without --append`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError(`${file} is not text (UTF-8): nothing was changed`);
  }
}

/** Replaces what a file holds, whole or not at all; its rights stay. @throws CliError */
export async function replaceFile(file: string, text: string): Promise<void> {
  let draft: string | undefined;
  try {
    // Through a link, the file itself is replaced.
    const path = await realpath(file);
    const { mode } = await stat(path);
    draft = `${path}.${randomUUID()}`;
    await writeFile(draft, text, { mode });
    await rename(draft, path);
  } catch {
    if (draft !== undefined) await rm(draft, { force: true });
    throw new CliError(`${file} could not be written: it is as it was`);
  }
}
