import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything that takes long to get is kept between runs, outside the work tree. */
export function cacheDir(): string {
  const { XDG_CACHE_HOME: base } = process.env;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'keyferry');
}
