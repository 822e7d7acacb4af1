import { readFile } from 'node:fs/promises';
import { runCommand } from './command.ts';

/**
 * The command line of a process, or an empty text when there is none, also for a zombie that nobody has waited for. A
 * process that is just turning into another command has none for a moment: ask `isRunning` whether there is one.
 */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.replaceAll('\0', ' ').trim();
  }
  const line = await runCommand('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => '');
  return line.trim();
}

/** Whether a process has this id and is no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const state =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/stat`, 'utf8')
          // The name stands in parentheses and may hold some itself; the state is the field after it.
          .then((line) => line.slice(line.lastIndexOf(')') + 1).trim())
          .catch(() => '')
      : await runCommand('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => '');
  return state !== '' && !/^[ZX]/i.test(state.trim());
}
