import { readFile } from 'node:fs/promises';
import { runCommand } from './command.ts';

/** The command line of a process, or an empty text when there is none, also for a zombie that nobody has waited for. */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.replaceAll('\0', ' ').trim();
  }
  const line = await runCommand('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => '');
  return line.trim();
}
