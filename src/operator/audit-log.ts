import { appendFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { AuditEntry, AuditLog } from '../controllers/audit.ts';
import type { Clock } from '../runtime/clock.ts';
import { safeMessage } from '../runtime/errors.ts';

/** A record could not be written, so what it is about must not happen. */
class AuditLogError extends Error {
  override readonly name = 'AuditLogError';
  readonly [safeMessage] = true;
}

/**
 * Where the audit log goes: `stdout`, `stderr` or the path of a file.
 * @throws AuditLogError where the file can't be written to
 */
export async function openAuditLog(target: string, clock: Clock): Promise<AuditLog> {
  if (target === 'stdout') return streamAuditLog(process.stdout, clock);
  if (target === 'stderr') return streamAuditLog(process.stderr, clock);
  await append(target, '');
  return fileAuditLog(target, clock);
}

export function streamAuditLog(output: Writable, clock: Clock): AuditLog {
  return {
    record: (entry) => {
      const written = Promise.withResolvers<void>();
      output.write(`${toLine(entry, clock)}\n`, (error) => {
        if (error) written.reject(new AuditLogError('the audit log can not be written to: its stream failed'));
        else written.resolve();
      });
      return written.promise;
    },
  };
}

/** Opens the file for each record, so that it can be moved away at any time; one record after the other, so that none is torn. */
function fileAuditLog(path: string, clock: Clock): AuditLog {
  let last: Promise<unknown> = Promise.resolve();
  let torn = false;
  return {
    record: (entry) => {
      const line = `${toLine(entry, clock)}\n`;
      const write = async (): Promise<void> => {
        const start = torn ? '\n' : '';
        // A full disk may take the half of it.
        torn = true;
        await append(path, start + line);
        torn = false;
      };
      const written = last.then(write);
      last = written.catch(() => undefined);
      return written;
    },
  };
}

async function append(path: string, text: string): Promise<void> {
  try {
    await appendFile(path, text, { mode: 0o600 });
  } catch {
    throw new AuditLogError(
      `the audit log can not be written to ${path}: see whether the folder is there, may be written to, and has room`,
    );
  }
}

/** One object. `stream` tells it from the operator's log where both go the same way. */
function toLine(entry: AuditEntry, clock: Clock): string {
  return JSON.stringify({ time: new Date(clock.now()).toISOString(), stream: 'audit', ...entry });
}
