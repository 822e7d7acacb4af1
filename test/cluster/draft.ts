import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Lets `write` make an executable file under another name in the same folder, and puts it in its place in one step: whoever
 * finds it there finds it whole, also after an interruption or when two do this at once.
 */
export async function installExecutable(path: string, write: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await write(draft);
    await chmod(draft, 0o755);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
