import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything that takes long to get is kept between runs, outside the work tree. */
export function cacheDir(env: Environment): string {
  const { XDG_CACHE_HOME: base } = env;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'keyferry');
}

/** Whether this process may run the file; for a folder, whether it may enter it. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
