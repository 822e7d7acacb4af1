import { createHash } from 'node:crypto';

/** Eight hex digits of a SHA-256: enough to tell things apart that stand side by side. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
