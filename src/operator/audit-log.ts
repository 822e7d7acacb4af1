import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { AuditLog } from '../controllers/audit.ts';
import type { Clock } from '../runtime/clock.ts';

/** Where the audit log goes: `stdout`, `stderr` or a file. @throws where the file can't be opened */
export async function openAuditLog(target: string, clock: Clock): Promise<AuditLog> {
  if (target === 'stdout') return createAuditLog(process.stdout, clock);
  if (target === 'stderr') return createAuditLog(process.stderr, clock);
  const file = createWriteStream(target, { flags: 'a', mode: 0o600 });
  await once(file, 'open');
  return createAuditLog(file, clock);
}

/** One line of JSON for each record, with `stream: audit` so that it can be told from the log where both go the same way. */
export function createAuditLog(output: Writable, clock: Clock): AuditLog {
  return {
    record: (entry) => {
      const line = JSON.stringify({ time: new Date(clock.now()).toISOString(), stream: 'audit', ...entry });
      return new Promise((resolve, reject) => {
        output.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
      });
    },
  };
}
